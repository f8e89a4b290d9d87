import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import dockerDie from '../../../test/fixtures/docker/docker-20.10-event-die.json' with { type: 'json' };
import podmanDie from '../../../test/fixtures/docker/podman-4.3-event-die.json' with { type: 'json' };
import podmanCreated from '../../../test/fixtures/docker/podman-4.3-inspect-not-started.json' with { type: 'json' };
import { EngineError } from './containers-client.ts';
import { negotiate, parseEvent, parseInspect, parseList } from './containers-model.ts';

const docker = { engine: 'docker', socketPath: '/run/docker.sock' } as const;
const podman = { engine: 'podman', socketPath: '/run/podman/podman.sock' } as const;

describe('the version of the API', () => {
  it('is the highest that both sides speak', () => {
    expect(negotiate({ ApiVersion: '1.41', MinAPIVersion: '1.12' })).toEqual({ prefix: '/v1.41', engine: 'docker' });
    expect(negotiate({ ApiVersion: '1.52', MinAPIVersion: '1.44' }).prefix).toBe('/v1.47');
    expect(negotiate({ ApiVersion: '1.60', MinAPIVersion: '1.50' }).prefix).toBe('/v1.50');
    expect(() => negotiate({ ApiVersion: '1.20' })).toThrow(EngineError);
  });

  it('comes with the engine’s own name', () => {
    expect(negotiate({ ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] }).engine).toBe('podman');
  });
});

describe('an event', () => {
  it('of Docker’s is taken over with its exit code', () => {
    const event = parseEvent(JSON.stringify(dockerDie), docker);

    expect(event?.at).toBe(Math.trunc(dockerDie.timeNano / 1e6));
    expect(event?.container).toMatchObject({ action: 'die', exitCode: 3, facts: { name: 'crm', startedAt: null } });
  });

  it('of Podman’s is taken over too', () => {
    expect(parseEvent(JSON.stringify(podmanDie), podman)?.container).toMatchObject({ action: 'die', exitCode: 7 });
  });

  it('keeps every digit of its instant, to be told from the next', () => {
    const line = (nanos: string) => `${JSON.stringify(dockerDie).replace(/"timeNano":\d+/, `"timeNano":${nanos}`)}`;

    expect(parseEvent(line('1795324418526123456'), docker)?.key).not.toBe(
      parseEvent(line('1795324418526123457'), docker)?.key,
    );
  });

  it('names a signal by number or by name', () => {
    const kill = (signal: string) =>
      parseEvent(
        JSON.stringify({ ...dockerDie, Action: 'kill', Actor: { ID: dockerDie.Actor.ID, Attributes: { signal } } }),
        docker,
      )?.container?.signal;

    expect([kill('9'), kill('SIGTERM'), kill('hup'), kill('nonsense')]).toEqual([9, 15, 1, null]);
  });

  it('F042 about what is no container id has no container', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const event = parseEvent(JSON.stringify({ ...dockerDie, Actor: { ID: id, Attributes: {} } }), docker);

        expect(event?.container).toBeNull();
      }),
    );
  });

  it('F041 that is no JSON is an error, and JSON of another shape is none', () => {
    expect(() => parseEvent('{"Type":', docker)).toThrow(EngineError);
    expect(parseEvent('{"errorDetail":{}}', docker)).toBeNull();
  });
});

describe('an inspection', () => {
  it('knows what never was as null', () => {
    const found = parseInspect(podmanCreated, podman);

    expect(found).toMatchObject({
      status: 'created',
      exitCode: 0,
      error: null,
      finishedAt: null,
      isAutoRemoved: false,
    });
    expect(found.facts).toMatchObject({ name: 'pbad', pid: null, startedAt: null, memoryMaxBytes: null });
  });

  it('F041 of another shape is an error that says where', () => {
    expect(() => parseInspect({ Id: 'short' }, docker)).toThrow(/container is not what its API promises: Id/);
  });
});

it('F042 a list leaves out what has no container id', () => {
  const id = 'a'.repeat(64);

  expect(parseList([{ Id: '../x' }, { Id: id, Names: ['/job'], State: 'running' }, 7])).toEqual([
    { id, name: 'job', state: 'running' },
  ]);
  expect(() => parseList({})).toThrow(EngineError);
});
