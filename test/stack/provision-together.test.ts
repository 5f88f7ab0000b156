/** Several set-ups at once, and what a killed one leaves behind: real processes, real signals. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeLock } from '../../stack/provision/lock.ts';
import { ensureTemporal } from '../../stack/provision/parts.ts';
import { identifyProcess } from '../../stack/services/process-identity.ts';
import {
  GO_BUILDS,
  openWorkshop,
  packTrino,
  readPids,
  until,
  type Workshop,
} from './provision-fixture.ts';

let workshop: Workshop;
let children: ChildProcess[];

beforeEach(() => {
  workshop = openWorkshop();
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const tool of ['go', 'mvn'] as const) {
    for (const pid of readPids(workshop.root, tool)) expect(identifyProcess(pid)).toBeUndefined();
  }
  vi.unstubAllEnvs();
  rmSync(workshop.root, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/** Starts a set-up; the promise is of its end. */
function start(what: 'ensureParts' | 'ensureTemporal') {
  const child = workshop.start(what);
  children.push(child);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<Ended>((settle) => {
    child.once('close', (code, signal) => settle({ code, signal, output }));
  });
  return { child, ended, output: () => output };
}

const drafts = () => readdirSync(workshop.cache).filter((name) => name.includes('.draft-'));

/** Go goes on only once this file is there. */
const GATED = (root: string) => `while [ ! -e "${root}/gate" ]; do sleep 0.05; done\n${GO_BUILDS}`;
const openGate = () => writeFileSync(join(workshop.root, 'gate'), '');

describe('two set-ups at once', () => {
  it('make each part once; both get all of them', async () => {
    await packTrino(workshop.root);
    workshop.play('go', GATED(workshop.root));
    const [one, two] = [start('ensureParts'), start('ensureParts')];
    await until(() =>
      /waiting for pid \d+, which makes temporal/.test(one.output() + two.output()),
    );
    openGate();
    const [first, second] = await Promise.all([one.ended, two.ended]);
    const result = /^result .*$/m;
    expect(result.exec(first.output)?.[0]).toBe(result.exec(second.output)?.[0]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect([workshop.count('go'), workshop.count('mvn')]).toEqual([2, 3]);
    expect(readdirSync(join(workshop.cache, 'locks'))).toEqual([]);
  });
});

describe('a set-up that is killed', () => {
  it('leaves a lock that is taken over, its Go ended and its draft removed', async () => {
    workshop.play('go', 'exec sleep 600');
    const { child, ended } = start('ensureTemporal');
    await until(() => workshop.count('go') === 1);
    const locks = join(workshop.cache, 'locks');
    await until(() => readdirSync(locks).some((name) => name.endsWith('.child')));
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(drafts()).toHaveLength(1);
    const [orphan = 0] = readPids(workshop.root, 'go');
    expect(identifyProcess(orphan)).toBeDefined();

    workshop.play('go', GO_BUILDS);
    expect(existsSync(await ensureTemporal(() => {}))).toBe(true);
    expect(identifyProcess(orphan)).toBeUndefined();
    expect([drafts(), readdirSync(locks)]).toEqual([[], []]);
  });

  it('asked to end, ends its commands first and leaves nothing', async () => {
    workshop.play('go', 'exec sleep 600');
    const { child, ended } = start('ensureTemporal');
    await until(() => workshop.count('go') === 1);
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(code).toBe(1);
    expect(output).toContain('failed Cancelled set-up was stopped');
    expect([drafts(), readdirSync(join(workshop.cache, 'locks'))]).toEqual([[], []]);
  });
});

describe('a lock', () => {
  const options = { signal: new AbortController().signal, onWait: () => {} };
  const path = () => join(workshop.cache, 'locks', 'part.lock');

  it('of a process whose pid another one has now is dead', async () => {
    mkdirSync(join(workshop.cache, 'locks'), { recursive: true });
    writeFileSync(path(), JSON.stringify({ pid: process.pid, startToken: 'of an earlier one' }));
    const lock = await takeLock(path(), options);
    lock.release();
    expect(existsSync(path())).toBe(false);
  });

  it('without a name in it is dead after a while', async () => {
    mkdirSync(join(workshop.cache, 'locks'), { recursive: true });
    writeFileSync(path(), '');
    (await takeLock(path(), options)).release();
  });

  it('is waited for, its holder named, until it is released', async () => {
    const first = await takeLock(path(), options);
    const named: number[] = [];
    const second = takeLock(path(), { ...options, onWait: (pid) => named.push(pid) });
    await until(() => named.length > 1);
    expect(new Set(named)).toEqual(new Set([process.pid]));
    first.release();
    (await second).release();
  });

  it('is waited for no longer when the set-up is stopped', async () => {
    const lock = await takeLock(path(), options);
    const abort = new AbortController();
    const waiting = takeLock(path(), { signal: abort.signal, onWait: () => abort.abort('stop') });
    await expect(waiting).rejects.toBe('stop');
    lock.release();
  });
});
