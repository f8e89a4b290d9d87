import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import type { DeliveryRecord, ExplanationRecord, TransitionRecord } from '../records.ts';
import { neutralise } from '../terminal.ts';
import { durationText, statusPaint } from '../words.ts';
import { findIncident } from './incidents.ts';
import { findTask } from './tasks.ts';

/** `explain incident ID`, `explain task ID`: who was told, who was not, and why. */
export function addExplainCommands(program: Command, context: Context): void {
  const explain = program
    .command('explain')
    .description('why something did or did not notify: each subscription asked, each delivery attempted');
  explain
    .command('incident')
    .argument('<id>', 'id, or its beginning')
    .description('why an incident did or did not notify')
    .option(...jsonFlag)
    .action(async (wanted: string, flags: JsonFlag) => {
      const { id } = await findIncident(context.client(), wanted);
      await tell(context, `/explain/incidents/${encodeURIComponent(id)}`, flags);
    });
  explain
    .command('task')
    .argument('<id>', "id, its beginning, or the scheduler's task id")
    .description('why the end of a task did or did not notify')
    .option(...jsonFlag)
    .action(async (wanted: string, flags: JsonFlag) => {
      const { id } = await findTask(context.client(), wanted);
      await tell(context, `/explain/tasks/${encodeURIComponent(id)}`, flags);
    });
}

async function tell(context: Context, path: string, { json }: JsonFlag): Promise<void> {
  const explanation = await context.client().get<ExplanationRecord>(path);
  if (json) return printJson(context, explanation);
  const { style, print } = context;
  const { task, incident } = explanation;
  const title = incident?.title ?? task?.name ?? task?.id ?? '';
  const status = incident?.status ?? task?.status ?? '';
  print(`${style('bold', neutralise(title))}  ${style(statusPaint(status), status)}\n`);
  if (task?.summary) print(`  ${neutralise(task.summary)}\n`);
  if (explanation.conclusion !== undefined) print(`  ${neutralise(explanation.conclusion)}\n`);
  const transitions = explanation.transitions ?? [];
  const earlier = (explanation.transitions_total ?? transitions.length) - transitions.length;
  if (earlier > 0) print(`\n${style('dim', `${earlier} earlier ones are not shown`)}\n`);
  for (const transition of transitions) print(`\n${transitionText(transition, context)}`);
}

function transitionText(transition: TransitionRecord, { style }: Context): string {
  const { at, kind, reason, suppression, decisions = [], deliveries = [] } = transition;
  const lines = [`${style('dim', at ?? '')}  ${style('bold', kind ?? '')}  ${neutralise(reason ?? '')}`];
  if (suppression) lines.push(`  ${style('yellow', 'kept back')}  ${neutralise(suppression)}`);
  if (decisions.length === 0 && !suppression)
    lines.push(
      `  ${style('dim', kind === 'resolved' ? 'nobody is told of such an end' : 'no subscription was asked: there is none')}`,
    );
  for (const { subscription, receiver, notified, reason: why, detail } of decisions) {
    lines.push(
      `  ${notified ? style('green', '✓') : style('dim', '·')} ${neutralise(subscription)} → ${neutralise(receiver)}: ${notified ? 'notified' : 'not notified'} (${neutralise(detail ? `${why} ${detail}` : why)})`,
    );
    for (const delivery of deliveries.filter((one) => one.subscription === subscription && one.receiver === receiver))
      lines.push(...deliveryLines(delivery, style));
  }
  return `${lines.join('\n')}\n`;
}

function deliveryLines(
  { state = '', attempts = [], next_attempt_at: nextAt }: DeliveryRecord,
  style: Context['style'],
): string[] {
  const tries = attempts.map(({ attempt, at, outcome, http_status: status, error, duration_ms: durationMs }) => {
    // What was refused begins with the status already.
    const answer = status && !error?.startsWith(`HTTP ${status}`) ? `HTTP ${status}` : '';
    const how = [outcome, answer, error ?? ''].filter(Boolean).join(', ');
    return `      ${style('dim', at ?? '')}  try ${attempt ?? '?'}: ${neutralise(how)} after ${durationText(durationMs)}`;
  });
  const next = state === 'pending' && nextAt ? `; next try ${nextAt}` : '';
  return [`    ${style(statusPaint(state), state)}${next}`, ...tries];
}
