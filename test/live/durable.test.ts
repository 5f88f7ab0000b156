/** What is running survives the worker, once; what is cancelled ends inside the engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { icewright, queueOf, showRun, succeed, until, workerPid } from './command-line.ts';
import { checksum, type Lake, makeScattered, openLake, replaces } from './lake.ts';

let lake: Lake;

beforeAll(() => {
  lake = openLake('durable');
});
afterAll(() => lake?.close());

/** Waits until the engine has begun: the activity heartbeats only then. */
async function running(table: string): Promise<void> {
  await until(async () => (await queueOf(table)).holder !== null);
}

async function ended(runId: string) {
  return until(async () => {
    const run = await showRun(runId);
    return ['queued', 'running'].includes(run.state) ? null : run;
  });
}

async function killWorker(): Promise<void> {
  const pid = workerPid();
  process.kill(pid, 'SIGKILL');
  await until(async () => {
    try {
      return workerPid() !== pid;
    } catch {
      return false;
    }
  });
}

const activeQueries = (table: string) =>
  lake.trino(
    `SELECT query_id, state FROM system.runtime.queries
     WHERE source LIKE 'icewright%' AND query LIKE '%${table.split('.')[2]}%EXECUTE%'
       -- This question is asked by the same driver, and would find itself.
       AND query NOT LIKE '%runtime.queries%'
       AND state NOT IN ('FINISHED', 'FAILED')`,
  );

describe('a worker killed with SIGKILL', () => {
  it('in the middle of a Spark compaction: the next one takes it over, one commit', async () => {
    const table = 'lake.durable.spark_kill';
    await makeScattered(lake, table, { files: 200, rows: 3_000_000 });
    const before = await checksum(lake, table);
    const words = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
    const { runId } = await succeed(words);
    await running(table);
    await until(async () => (await showRun(runId)).state === 'running');
    await new Promise((resume) => setTimeout(resume, 3_000));
    await killWorker();
    const run = await ended(runId);
    expect(run.state).toBe('done');
    expect(run.receipts).toHaveLength(1);
    expect(run.receipts[0]).toMatchObject({ engine: 'spark', status: 'done', reattached: true });
    const health = await lake.measure(table);
    expect(replaces(health)).toEqual([run.receipts[0]?.snapshotAfter]);
    expect(health.dataFiles).toBeLessThan(200);
    expect(await checksum(lake, table)).toEqual(before);
  });

  it('in the middle of a Trino statement: the same', async () => {
    const table = 'lake.durable.trino_kill';
    await makeScattered(lake, table, { files: 200, rows: 6_000_000, noteBytes: 256 });
    const before = await checksum(lake, table);
    const { runId } = await succeed(['compact', table, '--engine', 'trino']);
    await until(async () => (await activeQueries(table)).length === 1);
    // Long enough for the first heartbeat, which carries the handle.
    await new Promise((resume) => setTimeout(resume, 2_000));
    await killWorker();
    const run = await ended(runId);
    expect(run.state).toBe('done');
    expect(run.receipts[0]).toMatchObject({ engine: 'trino', status: 'done', reattached: true });
    const health = await lake.measure(table);
    expect(replaces(health)).toEqual([run.receipts[0]?.snapshotAfter]);
    expect(await checksum(lake, table)).toEqual(before);
  });
});

describe('runs cancel', () => {
  it('ends a statement inside Trino', async () => {
    const table = 'lake.durable.trino_cancel';
    await makeScattered(lake, table, { files: 200, rows: 6_000_000, noteBytes: 256 });
    const { runId } = await succeed(['compact', table, '--engine', 'trino']);
    const [query] = await until(async () => {
      const found = await activeQueries(table);
      return found.length > 0 ? found : null;
    });
    await succeed(['runs', 'cancel', runId]);
    const sql = `SELECT state, error_code FROM system.runtime.queries
                 WHERE query_id = '${query?.query_id}'`;
    expect((await lake.trino(sql))[0]).toEqual({ state: 'FAILED', error_code: 'USER_CANCELED' });
    expect((await showRun(runId)).state).toBe('cancelled');
    expect(replaces(await lake.measure(table))).toEqual([]);
    expect((await icewright(['runs', 'cancel', runId])).exitCode).toBe(2);
  });

  it('ends it in Spark also while its worker is dead', async () => {
    const table = 'lake.durable.spark_orphan';
    await makeScattered(lake, table, { files: 200, rows: 3_000_000 });
    const words = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
    const { runId } = await succeed(words);
    await until(async () => (await queueOf(table)).holder !== null);
    await new Promise((resume) => setTimeout(resume, 3_000));
    process.kill(workerPid(), 'SIGKILL');
    await icewright(['runs', 'cancel', runId]);
    expect((await ended(runId)).state).toBe('cancelled');
    const next = await succeed(['compact', table, '--wait']);
    expect(replaces(await lake.measure(table))).toEqual([next.receipts[0].snapshotAfter]);
  });

  it('ends a statement inside Spark: it commits nothing, also later', async () => {
    const table = 'lake.durable.spark_cancel';
    await makeScattered(lake, table, { files: 200, rows: 3_000_000 });
    const words = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
    const { runId } = await succeed(words);
    await until(async () => (await showRun(runId)).state === 'running');
    await new Promise((resume) => setTimeout(resume, 3_000));
    await succeed(['runs', 'cancel', runId]);
    expect((await showRun(runId)).state).toBe('cancelled');
    // The lock is free, and the next statement of this table is the only one that commits.
    const next = await succeed(['compact', table, '--wait']);
    expect(next.receipts[0]).toMatchObject({ status: 'done', reattached: false });
    expect(replaces(await lake.measure(table))).toEqual([next.receipts[0].snapshotAfter]);
  });
});
