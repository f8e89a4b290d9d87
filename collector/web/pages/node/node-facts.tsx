import type { ReactNode } from 'react';
import type { Node } from '../../data/api-types.ts';
import { Panel } from '../../parts/page.tsx';
import { bytesText, countText, durationText, visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './node.module.css';
import { useReading } from './use-reading.ts';

/** What the machine is, and how its agent came. */
export function NodeFacts({ node }: { node: Node }): ReactNode {
  const sample = useReading(node);
  const labels = Object.entries(node.labels);
  const facts = [...machineFacts(node), ...agentFacts(node)].filter(([, value]) => value);
  const uptimeS = sample?.uptime_s ?? null;
  return (
    <Panel title="Facts">
      {labels.length > 0 && (
        <ul className={classes.labels} aria-label="Labels">
          {labels.map(([key, value]) => (
            <li key={key}>
              <b>{visible(key)}</b> {visible(value)}
            </li>
          ))}
        </ul>
      )}
      <dl className={classes.facts}>
        {uptimeS !== null && (
          <div>
            <dt>Up for</dt>
            <dd>{durationText(uptimeS * 1000)}</dd>
          </div>
        )}
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? visible(value) : value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function machineFacts({ inventory }: Node): [string, ReactNode][] {
  if (inventory === null) return [];
  const { os, kernel, architecture, cpu_model, cpu_count, memory_total_bytes, virtualization } = inventory;
  return [
    ['System', [os, kernel && `Linux ${kernel}`, architecture].filter(Boolean).join(', ')],
    ['CPU', [cpu_count && countText(cpu_count, 'core'), cpu_model].filter(Boolean).join(', ')],
    ['Memory', memory_total_bytes === null ? null : bytesText(memory_total_bytes)],
    ['Virtualization', virtualization],
  ];
}

function agentFacts(node: Node): [string, ReactNode][] {
  return [
    ['Agent', node.agent_version],
    ['Address', node.remote_address],
    ['Clock', skewText(node.clock_skew_ms)],
    ['First seen', <At key="at" at={node.first_seen_at} />],
    ['Node id', node.id],
  ];
}

/** How far its clock is from the collector's, from a tenth of a second on. */
function skewText(skewMs: number | null): string | null {
  if (skewMs === null) return null;
  if (Math.abs(skewMs) < 100) return 'agrees with the collector’s';
  return `${durationText(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} the collector’s`;
}
