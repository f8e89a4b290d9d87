import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type MouseEvent, memo, type ReactNode } from 'react';
import type { FleetNode } from '../../data/api-types.ts';
import { nodeAddress, nodePlace } from '../../parts/places.ts';
import { statusText, visible } from '../../parts/texts.ts';
import type { Tone } from '../../theme/tones.ts';
import { type Health, healthOf } from '../nodes/readings.ts';
import classes from './fleet-grid.module.css';

const tones: Readonly<Record<Health, Tone>> = {
  critical: 'critical',
  offline: 'critical',
  warning: 'warning',
  info: 'info',
  blind: 'info',
  away: 'idle',
  well: 'good',
};
const words: Readonly<Record<Health, string>> = {
  critical: 'critical',
  offline: 'offline',
  warning: 'warning',
  info: 'notice',
  blind: 'cannot see everything',
  away: 'stopped',
  well: 'well',
};
const worstFirst = Object.keys(words) as Health[];

/** One cell a node, by name, coloured by the worst that is to be said of it. */
export function FleetGrid({ nodes }: { nodes: readonly FleetNode[] }): ReactNode {
  const navigate = useNavigate();
  const counts = countHealths(nodes);
  /* One listener for thousands of cells; keys and the middle button use the address of the cell itself. */
  const open = (event: MouseEvent) => {
    const { id } = (event.target as HTMLElement).dataset;
    if (id === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void navigate(nodePlace({ id }));
  };
  return (
    <>
      <ul className={classes.legend}>
        {worstFirst.map((health) => {
          const count = counts.get(health) ?? 0;
          return count === 0 ? null : (
            <li key={health} data-tone={tones[health]} data-health={health}>
              <i className={classes.mark} />
              {count} {words[health]}
            </li>
          );
        })}
      </ul>
      <div
        className={classes.grid}
        onClick={open}
        onKeyDown={moveBetweenCells}
        data-size={nodes.length > 400 ? 'small' : nodes.length > 60 ? 'middle' : 'large'}
      >
        {nodes.map((node, index) => (
          <Cell key={node.id} node={node} isFirst={index === 0} />
        ))}
      </div>
    </>
  );
}

function countHealths(nodes: readonly FleetNode[]): ReadonlyMap<Health, number> {
  const counts = new Map<Health, number>();
  for (const node of nodes) {
    const health = healthOf(node);
    counts.set(health, (counts.get(health) ?? 0) + 1);
  }
  return counts;
}

/** Drawn again only when its own node has changed. */
const Cell = memo(function Cell({ node, isFirst }: { node: FleetNode; isFirst: boolean }): ReactNode {
  const name = visible(node.name);
  const health = healthOf(node);
  const words = `${name}: ${whyOf(node)}`;
  return (
    <a
      className={classes.cell}
      tabIndex={isFirst ? 0 : -1}
      href={nodeAddress(node)}
      data-tone={tones[health]}
      data-health={health}
      data-id={node.id}
      title={words}
      aria-label={words}
    />
  );
});

/** One stop of the Tab key; from there the arrow keys. */
function moveBetweenCells(event: KeyboardEvent<HTMLElement>): void {
  const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(' ').length;
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
  };
  const step = steps[event.key];
  const cells = [...event.currentTarget.children];
  const next = step === undefined ? undefined : cells[cells.indexOf(event.target as Element) + step];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}

function whyOf(node: FleetNode): string {
  const firing = node.conditions.filter(({ status }) => status === 'true');
  if (firing.length > 0) return firing.map(({ condition, reason }) => `${condition}, ${visible(reason)}`).join('; ');
  return statusText(node.status);
}
