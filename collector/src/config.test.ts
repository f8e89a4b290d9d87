import { expect, it } from 'vitest';
import { readCollectorConfig } from './config.ts';

const listeningOn = (listen: string) => () =>
  readCollectorConfig({ file: undefined, environment: { RUNNERWATCH_LISTEN: listen } });

it.each(['127.0.0.1:0', '[::1]:4777', 'collector.example.org:65535'])('listens on %s', (listen) => {
  expect(listeningOn(listen)().listen).toBe(listen);
});

it.each(['4777', '127.0.0.1', '127.0.0.1:65536', '::1:4777', 'a b:1'])('F086 refuses to listen on %s', (listen) => {
  expect(listeningOn(listen)).toThrow('environment RUNNERWATCH_LISTEN: listen: expected host:port, such as');
});
