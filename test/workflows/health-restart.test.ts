/** The sweeps' timer lives in the server's database: killed and started again, it goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type BundleOptions,
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CloseSweepInput, HealthActivities } from '../../src/activities/types.ts';
import { CONTROL_QUEUE } from '../../src/domain/ids.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { startHealth } from '../../src/temporal/health.ts';
import { ensureTemporal } from '../../stack/provision/parts.ts';
import { freePort } from '../ledger/postgres.ts';

const INTERVAL_MS = 2_000;

let folder: string;
let server: ChildProcess;
let start: () => Promise<void>;
let address: string;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  folder = await mkdtemp(join(tmpdir(), 'icewright-temporal-'));
  const binary = await ensureTemporal(() => {});
  const port = await freePort();
  address = `127.0.0.1:${port}`;
  const database = join(folder, 'temporal.db');
  start = async () => {
    const words = ['server', 'start-dev', '--headless', '--port', String(port)];
    server = spawn(binary, [...words, '--db-filename', database], { stdio: 'ignore' });
    await (await connect()).close();
  };
  await start();
});

afterAll(async () => {
  server?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function connect() {
  const options = { address, namespace: 'default', tls: false, apiKey: undefined };
  return connectTemporal(options, 60_000);
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(20);
}

it('loses and doubles no due time when the server is killed', async () => {
  const sweeps = new Map<number, CloseSweepInput>();
  const activities: HealthActivities = {
    listHealthTables: async () => ({ tables: ['lake.a.t'], more: false }),
    sweepTables: async () => ({ measured: 1, unchanged: 0, failed: [] }),
    closeSweep: async (input) => {
      // A step whose answer the killed server never heard is done again.
      expect(sweeps.get(input.sweep) ?? input).toEqual(input);
      sweeps.set(input.sweep, input);
      return { tables: 1, failing: 0, findings: 0, worst: [] };
    },
    rollUpHealth: async () => ({ removed: 0 }),
  };
  const options: BundleOptions = {
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  };
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue: CONTROL_QUEUE,
    workflowBundle: await bundleWorkflowCode(options),
    activities,
  });
  await worker.runUntil(async () => {
    const { client, close } = await connect();
    await startHealth(client, { catalog: 'lake', intervalMs: INTERVAL_MS });
    await until(() => sweeps.size === 2);
    server.kill('SIGKILL');
    await sleep(2 * INTERVAL_MS);
    await start();
    await until(() => sweeps.size === 5);
    await client.workflow.getHandle('health/lake').terminate('seen');
    await close();
  });
  await connection.close();
  const told = [...sweeps.values()];
  expect(told.map((one) => one.sweep)).toEqual([1, 2, 3, 4, 5]);
  for (const [at, { dueAt, missed }] of told.entries()) {
    if (at === 0) continue;
    const since = Date.parse(dueAt ?? '') - Date.parse(told[at - 1]?.dueAt ?? '');
    expect(since).toBe((missed + 1) * INTERVAL_MS);
  }
});
