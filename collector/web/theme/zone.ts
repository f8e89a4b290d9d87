import { createStore, useStore } from '../data/store.ts';

/** In which time zone instants are shown. */
export type Zone = 'local' | 'utc';

const key = 'runnerwatch.zone';
const zone = createStore<Zone>(localStorage.getItem(key) === 'utc' ? 'utc' : 'local');

export function useZone(): [Zone, (zone: Zone) => void] {
  const choose = (chosen: Zone) => {
    localStorage.setItem(key, chosen);
    zone.set(chosen);
  };
  return [useStore(zone), choose];
}
