import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  endProcess,
  identifyProcess,
  isRunning,
  signalProcess,
} from '../../stack/services/process-identity.ts';

let child: ChildProcess;

/** Ignores SIGTERM, and says when it does. */
const STUBBORN = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')`;

beforeEach(async () => {
  child = spawn(process.execPath, ['-e', STUBBORN], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
});

afterEach(() => {
  child.kill('SIGKILL');
});

function identity() {
  const found = identifyProcess(child.pid ?? 0);
  if (found === undefined) throw new Error('the child is not there');
  return found;
}

describe('a recorded process', () => {
  it('is known by its pid and its start together', () => {
    expect(isRunning(identity())).toBe(true);
    expect(identity()).toEqual(identity());
  });

  it('is not signalled when its pid now belongs to another process', async () => {
    const stale = { ...identity(), startToken: 'of-an-earlier-process' };
    expect(isRunning(stale)).toBe(false);
    expect(signalProcess(stale, 'SIGKILL')).toBe(false);
    await endProcess(stale, 'SIGKILL', 1_000);
    expect(isRunning(identity())).toBe(true);
  });

  it('is killed when it does not end by itself within its time', async () => {
    const mine = identity();
    const exit = once(child, 'exit');
    await endProcess(mine, 'SIGTERM', 200);
    expect(await exit).toEqual([null, 'SIGKILL']);
    expect(isRunning(mine)).toBe(false);
  });

  it('is not found when there is none', () => {
    expect(identifyProcess(2 ** 22 + 1)).toBeUndefined();
  });
});
