import { describe, expect, it } from 'vitest';
import { Circuit } from './circuit.ts';

function opened(): Circuit {
  const circuit = new Circuit();
  for (let count = 0; count < 5; count += 1) circuit.failed(0, 0);
  return circuit;
}

describe('the circuit of a receiver', () => {
  it('F103 opens after five failures in a row, and lets one probe out after a pause that doubles from 2 s to 1 min', () => {
    const circuit = opened();

    const pauses: number[] = [];
    for (let now = 0; pauses.length < 8; ) {
      const until = circuit.openUntil ?? now;
      pauses.push(until - now);
      expect([circuit.width(until - 1), circuit.width(until)]).toEqual([0, 1]);
      now = until;
      circuit.failed(now, now);
    }

    expect(pauses.map((ms) => ms / 1000)).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
    expect(circuit.failingSince).toBe(0);
  });

  it('stays closed while one of five is answered', () => {
    const circuit = new Circuit();

    for (let count = 0; count < 100; count += 1) {
      if (count % 5 === 4) expect(circuit.answered(count)).toBe(false);
      else circuit.failed(count, count);
    }

    expect([circuit.openUntil, circuit.width(100)]).toEqual([null, Number.POSITIVE_INFINITY]);
  });

  it('counts failures of attempts already under way without a longer pause', () => {
    const circuit = opened();

    circuit.failed(1, 0);

    expect([circuit.failures, circuit.openUntil]).toEqual([6, 2000]);
  });

  it('is not opened by what hangs while others are answered', () => {
    const circuit = new Circuit();
    circuit.answered(10);

    for (let count = 0; count < 20; count += 1) circuit.failed(500, 9);

    expect([circuit.failures, circuit.openUntil]).toEqual([0, null]);
  });

  it('F108 closes with the first answer, and doubles from one attempt at once', () => {
    const circuit = opened();

    expect(circuit.answered(1)).toBe(true);

    expect([circuit.failures, circuit.failingSince, circuit.openUntil]).toEqual([0, null, null]);
    const widths = [circuit.width(1)];
    for (let count = 0; count < 3; count += 1) {
      circuit.answered(1);
      widths.push(circuit.width(1));
    }
    expect(widths).toEqual([1, 2, 4, 8]);
  });
});
