import type { ReactNode } from 'react';

/** Strokes on a grid of 24. */
const paths = {
  overview: 'M4 13h6V4H4zM14 20h6V11h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  nodes: 'M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.01M7.5 16h.01',
  tasks: 'M4 6h2M4 12h2M4 18h2M9.5 6H20M9.5 12H20M9.5 18H20',
  incidents: 'M12 4 3 19.5h18zM12 10v4M12 17h.01',
  jobs: 'M4 8h16v11H4zM9 8V5h6v3M4 13h16',
  analytics: 'M5 20V11M12 20V4M19 20v-6',
  notifications: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4',
  silences: 'M6 16V11a6 6 0 0 1 9-5.200M18 11v5l1.5 2H9M10 21h4M4 4l16 16',
  watches: 'M12 21a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM12 9.5v4l2.5 2M9.5 3h5',
  fleet: 'M12 3v6M12 9 6 15M12 9l6 6M4 15h4v5H4zM16 15h4v5h-4z',
  people: 'M12 12a3.700 3.700 0 1 0 0-7.400 3.700 3.700 0 0 0 0 7.400zM4.5 20a7.500 7.500 0 0 1 15 0',
  audit: 'M6 3.500h9l4 4V20.500H6zM9 11h7M9 14h7M9 17h4',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20 20',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M5.3 18.700l1.4-1.400M17.3 6.700l1.4-1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z',
  clock: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7v5l3.5 2',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M4.5 12.5 10 18 19.5 7',
  arrow: 'M9 5l7 7-7 7',
  sort: 'M8 10l4-4 4 4M8 14l4 4 4-4',
  rising: 'M7 14l5-5 5 5',
  falling: 'M7 10l5 5 5-5',
  close: 'M6 6l12 12M18 6 6 18',
  book: 'M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11',
} as const;

export type IconName = keyof typeof paths;

/** Decoration: what it means is said beside it. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }): ReactNode {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" fill="none" stroke="currentColor">
      <path d={paths[name]} strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
