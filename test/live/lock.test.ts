/** One lock and one queue for each table, on the real engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { tableWorkflowId } from '../../src/domain/ids.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { queueOf, showRun, succeed, until } from './command-line.ts';
import { checksum, expectApart, type Lake, makeScattered, openLake, replaces } from './lake.ts';

let lake: Lake;

beforeAll(() => {
  lake = openLake('lock');
});
afterAll(() => lake?.close());

describe('the lock of a table', () => {
  it('joins equal requests, queues others, and shows holder and waiters', async () => {
    const table = 'lake.lock.queue';
    await makeScattered(lake, table, { files: 200, rows: 2_000_000 });
    const zorder = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
    const first = await succeed(zorder);
    await until(async () => (await queueOf(table)).holder !== null);
    const second = await succeed(zorder);
    expect(second).toMatchObject({ runId: first.runId, joined: true });
    const sort = await succeed(['compact', table, '--strategy', 'sort', '--columns', 'ts']);
    const expire = await succeed(['expire', table, '--older-than', '1ms', '--keep-last', '1']);
    const manifests = await succeed(['manifests', table]);
    const queue = await queueOf(table);
    expect(queue.holder).toMatchObject({ runId: first.runId, joined: 1 });
    expect(queue.waiting.map((one) => one.runId)).toEqual([
      sort.runId,
      expire.runId,
      manifests.runId,
    ]);
    expect(await succeed(['runs', 'cancel', sort.runId])).toMatchObject({ state: 'cancelled' });
    await until(async () => (await showRun(manifests.runId)).state === 'done');
    const shown = await Promise.all([first, expire, manifests].map((one) => showRun(one.runId)));
    expect(shown.map((one) => one.state)).toEqual(['done', 'done', 'done']);
    expectApart(shown.flatMap((one) => one.receipts));
    expect((await showRun(sort.runId)).receipts).toEqual([]);
    expect(replaces(await lake.measure(table)).length).toBeGreaterThan(0);
  });

  it('is kept by a run whose table workflow an operator terminated', async () => {
    const table = 'lake.lock.terminated';
    await makeScattered(lake, table, { files: 200, rows: 3_000_000 });
    const words = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
    const { runId } = await succeed(words);
    await until(async () => (await showRun(runId)).state === 'running');
    const { client, close } = await connectTemporal(readConfig().temporal);
    try {
      await client.workflow.getHandle(tableWorkflowId(table)).terminate('by the test');
    } finally {
      await close();
    }
    const { receipts } = await succeed(['manifests', table, '--wait']);
    const first = await showRun(runId);
    expect(first.finishedAt).not.toBeNull();
    expect((receipts[0] as Receipt).startedAt >= (first.finishedAt as string)).toBe(true);
  });

  it('leaves the rows as they were: Z-order of two hundred small files', async () => {
    const table = 'lake.lock.zorder';
    await makeScattered(lake, table, { files: 220, rows: 200_000 });
    const before = await lake.measure(table);
    expect(before.dataFiles).toBeGreaterThanOrEqual(200);
    const rows = await checksum(lake, table);
    const words = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
    const { receipts } = await succeed([...words, '--wait']);
    expect(receipts[0]).toMatchObject({
      operation: 'compact',
      engine: 'spark',
      status: 'done',
      filesBefore: before.dataFiles,
    });
    const after = await lake.measure(table);
    expect(after.dataFiles).toBe(receipts[0].filesAfter);
    expect(after.dataFiles).toBeLessThan(5);
    expect(await checksum(lake, table)).toEqual(rows);
  });
});
