import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Node } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { useSample } from '../../data/use-live.ts';
import { NodeStatusBadge } from '../../parts/badges.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Meter } from '../../parts/meter.tsx';
import { Panel } from '../../parts/page.tsx';
import { nodePlace } from '../../parts/places.ts';
import { bytesText, countText, dash, percentText, visible } from '../../parts/texts.ts';
import { fullestDisk, loadPercent, memoryPercent } from '../nodes/readings.ts';
import classes from './overview.module.css';

/** The only node, with its gauges. */
export function ThisMachine({ id, name }: { id: string; name: string }): ReactNode {
  const query = useQuery(read('GET /nodes/{id}', { path: { id } }));
  return (
    <Panel title={visible(name)} aside={query.data && <NodeStatusBadge status={query.data.status} />}>
      <Loaded query={query} lines={5}>
        {(node) => <Gauges node={node} />}
      </Loaded>
    </Panel>
  );
}

function Gauges({ node }: { node: Node }): ReactNode {
  const sample = useSample(node);
  const disk = fullestDisk(sample);
  const memory = memoryPercent(sample);
  const cores = sample?.cpu_count ?? node.inventory?.cpu_count;
  return (
    <>
      <p className={classes.about}>{aboutText(node)}</p>
      <Meter label="CPU" percent={sample?.cpu_percent ?? null} text={percentText(sample?.cpu_percent)} />
      <Meter
        label="Memory"
        percent={memory}
        text={percentText(memory)}
        beside={`of ${bytesText(sample?.memory_total_bytes)}`}
        limitPercent={90}
      />
      <Meter
        label="Load"
        percent={loadPercent(sample, node)}
        text={sample?.load1?.toFixed(2) ?? dash}
        beside={cores ? countText(cores, 'core') : ''}
        limitPercent={50}
      />
      <Meter
        label="Disk"
        percent={disk?.used_percent ?? null}
        text={percentText(disk?.used_percent)}
        beside={disk?.mount ?? ''}
        limitPercent={90}
      />
      <p className={classes.about}>{seesText(node)}</p>
      <p>
        <Link {...nodePlace(node)}>Its charts and tasks</Link>
      </p>
    </>
  );
}

function aboutText({ inventory }: Node): string {
  return (
    [inventory?.os, inventory?.cpu_model, inventory?.kernel && `Linux ${inventory.kernel}`]
      .filter(Boolean)
      .join(' · ') || ' '
  );
}

function seesText({ sources }: Node): string {
  const seeing = sources.filter(({ state }) => state === 'seeing').map(({ name }) => name);
  return seeing.length === 0 ? 'It sees no source of tasks.' : `Sees the ends of tasks by ${seeing.join(', ')}.`;
}
