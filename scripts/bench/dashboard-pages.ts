/* What the pages of the dashboard ask (collector/web/pages), with the parameters they ask with, where there is something to find. */
import { jobId } from '../../collector/src/tasks/jobs.ts';
import { job, nodeId, nodeName } from './scale-tasks.ts';

export interface Page {
  /** As in the browser; null: what is asked beside a page. */
  readonly address: string | null;
  /** Below `/api/v1`. */
  readonly questions: readonly string[];
}

/** Answers a question as its JSON. */
export type Get = <T>(question: string) => Promise<T>;

export async function dashboardPages(get: Get): Promise<Page[]> {
  return [
    ...ofFleet(),
    ...(await ofTasks(get)),
    ...(await ofJobs(get)),
    ...(['24h', '7d', '30d'] as const).map(ofAnalytics),
    ...(await ofIncidents(get)),
    ...(await ofNotifications(get)),
    ...['train', nodeName(999), 'nothing is called so', '799999'].map((text) => ({
      address: null,
      questions: [`/search?q=${encodeURIComponent(text)}`],
    })),
  ];
}

/** The question for the page of a listing behind this one. */
async function behind(get: Get, question: string): Promise<string> {
  const { next_cursor: cursor } = await get<{ next_cursor: string | null }>(question);
  return `${question}&cursor=${encodeURIComponent(cursor ?? '')}`;
}

function ofFleet(): Page[] {
  const node = nodeId(0);
  return [
    {
      address: '/',
      questions: [
        '/fleet',
        '/incidents?status=open&limit=100',
        `/tasks?status=completed,${failed}&limit=12`,
        '/analytics/failures?by=hour&since=24h',
        '/analytics/failures?by=cause&since=24h',
        '/analytics/failures?by=cause&since=8d&until=24h',
        '/status',
      ],
    },
    { address: '/nodes', questions: ['/nodes?limit=100'] },
    {
      address: '/nodes?search=hall-2&condition=any',
      questions: ['/nodes?search=hall-2&condition=any&limit=100'],
    },
    {
      address: `/nodes/${node}?range=24h`,
      questions: [
        `/nodes/${node}`,
        `/nodes/${node}/samples?from=24h`,
        `/tasks?node=${node}&since=24h&limit=500`,
        `/incidents?node=${node}&limit=200`,
        '/silences',
      ],
    },
    { address: '/fleet', questions: ['/agents', '/enrollments', '/status'] },
  ];
}

const failed = 'failed,killed,killed_oom,timed_out,lost,unknown';

async function ofTasks(get: Get): Promise<Page[]> {
  const [rare] = [300].map((index) => jobId(job(index)));
  const { items } = await get<{ items: { id: string }[] }>(`/tasks?status=${failed}&limit=1`);
  const task = items[0]?.id ?? '';
  const common = encodeURIComponent(jobId(job(0)));
  const filters = [
    'status=running',
    `status=${failed}`,
    'status=killed_oom',
    'cause=gpu_fault',
    'cause=disk_full',
    `node=${nodeName(0)}`,
    `node=${nodeName(0)}&status=${failed}`,
    `node=${nodeName(999)}&cause=disk_full`,
    'project=project-17',
    'owner=user-29',
    'owner=nobody',
    `job=${job(0).name}`,
    'job=nothing%2Fis%2Fcalled%2Fso',
    `job=${rare}`,
    'since=30d&until=29d',
  ];
  return [
    { address: '/tasks', questions: ['/tasks?limit=50', await behind(get, '/tasks?limit=50')] },
    ...filters.map((filter) => ({ address: `/tasks?${filter}`, questions: [`/tasks?${filter}&limit=50`] })),
    {
      address: `/tasks/${task}`,
      questions: [
        `/tasks/${task}`,
        `/tasks/${task}/recording`,
        `/explain/tasks/${task}`,
        `/tasks?job=${common}&limit=60`,
        `/jobs/${common}`,
      ],
    },
  ];
}

async function ofJobs(get: Get): Promise<Page[]> {
  const [common, fewer] = [0, 3].map((index) => encodeURIComponent(jobId(job(index))));
  return [
    { address: '/jobs', questions: ['/jobs?limit=50', await behind(get, '/jobs?limit=50')] },
    { address: '/jobs?search=eval', questions: ['/jobs?search=eval&limit=50'] },
    {
      address: `/jobs/${common}`,
      questions: [`/jobs/${common}`, `/tasks?job=${common}&limit=60`, `/jobs/${common}/alerts`],
    },
    { address: `/jobs/${fewer}`, questions: [`/jobs/${fewer}`] },
  ];
}

const spans = {
  '24h': { before: '48h', when: 'hour' },
  '7d': { before: '14d', when: 'hour' },
  '30d': { before: '60d', when: 'day' },
} as const;

function ofAnalytics(span: keyof typeof spans): Page {
  const { before, when } = spans[span];
  const failures = (by: string, rest: string) => `/analytics/failures?by=${by}&since=${span}&${rest}`;
  const groups = ['cause', 'project', 'job', 'node'];
  return {
    address: `/analytics?since=${span}`,
    questions: [failures(when, 'limit=500'), ...groups.map((by) => failures(by, `before=${before}&limit=20`))],
  };
}

interface Incidents {
  readonly items: readonly { readonly id: string; readonly alerts_total: number }[];
}

async function ofIncidents(get: Get): Promise<Page[]> {
  const { items: open } = await get<Incidents>('/incidents?status=open&limit=200');
  const { items: resolved } = await get<Incidents>('/incidents?status=resolved&limit=50');
  const largest = open.toSorted((a, b) => b.alerts_total - a.alerts_total)[0];
  const ordinary = resolved.find(({ alerts_total: total }) => total > 1);
  const past = '/incidents?status=resolved&limit=50';
  return [
    { address: '/incidents', questions: ['/incidents?status=open&limit=50', past, await behind(get, past)] },
    {
      address: '/incidents?severity=warning',
      questions: ['open', 'resolved'].map((status) => `/incidents?status=${status}&severity=warning&limit=50`),
    },
    ...[largest, ordinary].map((incident) => ({
      address: `/incidents/${incident?.id}`,
      questions: [
        `/incidents/${incident?.id}`,
        `/incidents/${incident?.id}/alerts?limit=20`,
        `/incidents/${incident?.id}/timeline?limit=30`,
      ],
    })),
  ];
}

async function ofNotifications(get: Get): Promise<Page[]> {
  return [
    {
      address: '/notifications',
      questions: ['/status', '/subscriptions', '/deliveries?limit=30', await behind(get, '/deliveries?limit=30')],
    },
    ...['delivered', 'pending', 'dead', 'collapsed'].map((state) => ({
      address: `/notifications?state=${state}`,
      questions: [`/deliveries?state=${state}&limit=30`],
    })),
    { address: '/silences', questions: ['/silences?all=true'] },
    { address: '/watches', questions: ['/watches'] },
  ];
}
