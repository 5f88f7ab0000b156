import { readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StackHome } from '../../stack/home.ts';
import { findFreePorts } from '../../stack/ports.ts';
import { describeTail } from '../../stack/services/log-file.ts';
import { isRunning } from '../../stack/services/process-identity.ts';
import { readState } from '../../stack/services/state.ts';
import { Supervisor } from '../../stack/supervisor.ts';
import { emptyFile, listener, quitter, temporaryHome } from './services-fixture.ts';

let home: StackHome;
let supervisor: Supervisor;
let note: string;

beforeEach(() => {
  home = temporaryHome();
  supervisor = new Supervisor(home);
  note = emptyFile(home, 'stopped');
});

afterEach(async () => {
  await supervisor.stop();
  rmSync(home.root, { recursive: true, force: true });
});

const record = (name: string) => supervisor.records.find((one) => one.name === name);

describe('a supervisor', () => {
  it('starts what is needed first, stops users before the used, and leaves no process', async () => {
    const ports = await findFreePorts();
    const services = [
      listener({ name: 'user', port: ports.http, note, needs: ['used'], rank: 0 }),
      listener({ name: 'used', port: ports.s3, note, rank: 1 }),
    ];
    await supervisor.run(services, 'first');
    const state = readState(home);
    expect(state?.request).toBe('first');
    expect(state?.services.map((one) => one.state)).toEqual(['ready', 'ready']);
    const [user, used] = supervisor.records;
    const readyAt = Date.parse(used?.startedAt ?? '') + (used?.readyAfterMs ?? Number.NaN);
    expect(Date.parse(user?.startedAt ?? '')).toBeGreaterThanOrEqual(readyAt);

    const processes = supervisor.records.flatMap((one) => one.process ?? []);
    await supervisor.stop();
    expect(readFileSync(note, 'utf8')).toBe('user\nused\n');
    expect(processes.map(isRunning)).toEqual([false, false]);
    expect(supervisor.records.map((one) => one.state)).toEqual(['stopped', 'stopped']);
  });

  it('starts a service again that was killed', async () => {
    const { http } = await findFreePorts();
    await supervisor.run([listener({ name: 'one', port: http, note })], 'first');
    const before = record('one')?.pid ?? 0;
    process.kill(before, 'SIGKILL');
    await vi.waitFor(() => expect(record('one')).toMatchObject({ state: 'ready', restarts: 1 }), {
      timeout: 20_000,
    });
    expect(record('one')?.pid).not.toBe(before);
  });

  it('gives up a service that ends while it starts, and says what its log says', async () => {
    const { http } = await findFreePorts();
    const user = listener({ name: 'user', port: http, note, needs: ['used'] });
    await supervisor.run([user, quitter('used', 'no such drive')], 'first');
    expect(record('used')).toMatchObject({ state: 'failed', pid: null });
    expect(record('used')?.problem).toContain('exit code 7');
    expect(describeTail(record('used')?.log ?? '')).toContain('ends with\nno such drive');
    expect(record('user')).toMatchObject({ state: 'waiting', pid: null });
  });

  it('completes what failed and what waited for it when it is asked again', async () => {
    const ports = await findFreePorts();
    const user = listener({ name: 'user', port: ports.http, note, needs: ['used'] });
    const other = listener({ name: 'other', port: ports.trino, note });
    await supervisor.run([user, other, quitter('used', 'not yet')], 'first');
    const kept = record('other')?.pid;
    const repaired = listener({ name: 'used', port: ports.s3, note });
    await supervisor.run([user, other, repaired], 'second');
    expect(supervisor.records.map((one) => one.state)).toEqual(['ready', 'ready', 'ready']);
    expect(record('other')).toMatchObject({ pid: kept, restarts: 0 });
    expect(readState(home)?.request).toBe('second');
  });
});
