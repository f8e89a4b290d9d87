import { describe, expect, it } from 'vitest';
import { StopStack } from './stop-stack.ts';

describe('the stop stack', () => {
  it('stops in the opposite order, once, and goes on past one that fails', async () => {
    const stopped: string[] = [];
    const stack = new StopStack();
    stack.defer(() => stopped.push('first started'));
    stack.defer(() => {
      throw new Error('stuck');
    });
    stack.defer(async () => stopped.push('last started'));

    await expect(stack[Symbol.asyncDispose]()).rejects.toThrow('not everything could be stopped');
    await expect(stack[Symbol.asyncDispose]()).rejects.toThrow();

    expect(stopped).toEqual(['last started', 'first started']);
  });
});
