import { useNavigate } from '@tanstack/react-router';
import { type MouseEvent, memo, type ReactNode } from 'react';
import type { FleetNode } from '../../data/api-types.ts';
import { rootPath } from '../../data/client.ts';
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
  const healths = nodes.map(healthOf);
  /* One listener for thousands of cells; keys and the middle button use the address of the cell itself. */
  const open = (event: MouseEvent) => {
    const { name } = (event.target as HTMLElement).dataset;
    if (name === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void navigate({ to: '/nodes', search: { search: name } });
  };
  return (
    <>
      <ul className={classes.legend}>
        {worstFirst.map((health) => {
          const count = healths.filter((one) => one === health).length;
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
        data-size={nodes.length > 400 ? 'small' : nodes.length > 60 ? 'middle' : 'large'}
      >
        {nodes.map((node) => (
          <Cell key={node.id} name={visible(node.name)} health={healthOf(node)} why={whyOf(node)} />
        ))}
      </div>
    </>
  );
}

const Cell = memo(function Cell({ name, health, why }: { name: string; health: Health; why: string }): ReactNode {
  return (
    <a
      className={classes.cell}
      href={`${rootPath}nodes?search=${encodeURIComponent(name)}`}
      data-tone={tones[health]}
      data-health={health}
      data-name={name}
      title={`${name}: ${why}`}
      aria-label={`${name}: ${why}`}
    />
  );
});

function whyOf(node: FleetNode): string {
  const firing = node.conditions.filter(({ status }) => status === 'true');
  if (firing.length > 0) return firing.map(({ condition, reason }) => `${condition}, ${visible(reason)}`).join('; ');
  return statusText(node.status);
}
