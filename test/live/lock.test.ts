/** One lock and one queue for each table, on the real engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/domain/operation.ts';
import { icewright, queueOf, showRun, succeed, until } from './command-line.ts';
import { checksum, type Lake, makeScattered, openLake, replaces } from './lake.ts';

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

  it('keeps a transform and a compaction of one table apart', async () => {
    const table = 'lake.gold.daily_revenue';
    if ((await icewright(['health', table])).exitCode !== 0) await succeed(['nightly']);
    const night = icewright(['transform', 'run', 'gold.daily_revenue']);
    const jobs = await Promise.all(
      ['customers', 'revenue', 'orders'].map((column) =>
        succeed(['compact', table, '--strategy', 'sort', '--columns', column]),
      ),
    );
    expect((await night).exitCode).toBe(0);
    await until(async () => {
      const shown = await Promise.all(jobs.map((one) => showRun(one.runId)));
      return shown.every((one) => one.state === 'done');
    });
    const { runs } = await succeed(['runs', 'list', '--table', table]);
    const shown = await Promise.all((runs as { runId: string }[]).map((one) => showRun(one.runId)));
    expectApart(shown.flatMap((one) => one.receipts));
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

/** No two operations of one table were under way at the same time. */
function expectApart(receipts: readonly Receipt[]): void {
  const spans = [...receipts].sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  for (const [at, span] of spans.entries()) {
    const next = spans[at + 1];
    if (next !== undefined) expect(span.finishedAt <= next.startedAt).toBe(true);
  }
}
