import { describe, expect, test } from 'vitest';
import { judgeCadence } from '../../src/domain/policy/cadence.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy/policy.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import type { ClosableLedger } from '../../src/ledger/ledger.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';
import { plan, receipt, run, started, TABLE } from '../ledger/rows.ts';

const own = useOwnLedger('store');

describe('plans', () => {
  test('are read back as they were written', async () => {
    await own.ledger.savePlan(plan('p1'), 'digest');
    expect(await own.ledger.readPlan('p1')).toEqual(plan('p1'));
    expect(await own.ledger.readPlan('none')).toBeNull();
  });
  test('the first one stays when a step is repeated', async () => {
    await own.ledger.savePlan({ ...plan('p1'), tables: [] }, 'other');
    expect(await own.ledger.readPlan('p1')).toEqual(plan('p1'));
  });
  test.each(["update icewright.plan set digest = 'x'", 'delete from icewright.plan'])(
    '%s is refused by the database',
    async (text) => expect(own.sql(text)).rejects.toThrow(/plan is append-only/),
  );
});

describe('runs', () => {
  test('are read back as they were written, and their state moves on', async () => {
    await own.ledger.saveRun(run('r1'));
    expect(await own.ledger.readRun('r1')).toEqual(run('r1'));
    const startedAt = '2026-11-21T02:00:01.000Z';
    await own.ledger.saveRun(run('r1', { state: 'running', startedAt, planId: 'p1' }));
    const finishedAt = '2026-11-21T02:00:09.000Z';
    const error = { code: 'EngineRejected', message: 'no' };
    await own.ledger.saveRun(run('r1', { state: 'failed', finishedAt, error }));
    expect(await own.ledger.readRun('r1')).toEqual(
      run('r1', { state: 'failed', startedAt, finishedAt, error, planId: 'p1' }),
    );
    expect(await own.ledger.readRun('none')).toBeNull();
  });

  test('that have ended are not brought back by a late step', async () => {
    await own.ledger.saveRun(run('r2', { state: 'done' }));
    await own.ledger.saveRun(run('r2', { state: 'running' }));
    expect(await own.ledger.readRun('r2')).toMatchObject({ state: 'done' });
  });

  test('keep who asked, and what they came to', async () => {
    const outcome = {
      runId: 'r3',
      state: 'done',
      planId: null,
      receipts: [receipt()],
      transform: null,
      error: null,
    } as const;
    await own.ledger.saveRun(run('r3'));
    await own.ledger.saveRun(run('r3', { state: 'done', outcome, requestedBy: 'cli:eve' }));
    await own.ledger.saveRun(run('r3', { state: 'done' }));
    expect(await own.ledger.readRun('r3')).toMatchObject({ requestedBy: 'cli:ana', outcome });
  });

  test('are listed newest first, by any filter', async () => {
    const at = (second: number) => ({ createdAt: `2026-11-22T02:00:0${second}.000Z` });
    await own.ledger.saveRun(run('n1', { ...at(1), kind: 'nightly', table: null }));
    await own.ledger.saveRun(run('n1.a', { ...at(2), parentRunId: 'n1', kind: 'transform' }));
    await own.ledger.saveRun(run('n1.b', { ...at(3), parentRunId: 'n1', state: 'running' }));
    const ids = async (filter: Parameters<ClosableLedger['listRuns']>[0]) =>
      (await own.ledger.listRuns(filter)).map((one) => one.runId);
    expect(await ids({ limit: 2 })).toEqual(['n1.b', 'n1.a']);
    expect(await ids({ parentRunId: 'n1', limit: 9 })).toEqual(['n1.b', 'n1.a']);
    expect(await ids({ kind: 'nightly', limit: 9 })).toEqual(['n1']);
    expect(await ids({ states: ['running'], limit: 9 })).toEqual(['n1.b']);
    expect(await ids({ table: TABLE, kind: 'transform', limit: 9 })).toEqual(['n1.a']);
    expect(await ids({ table: "'; drop table icewright.run; --", limit: 9 })).toEqual([]);
  });
});

describe('started operations', () => {
  test('the row of the first attempt stays', async () => {
    expect(await own.ledger.readStartedOperation('r1', 0)).toBeNull();
    expect(await own.ledger.startOperation(started('r1'))).toEqual(started('r1'));
    const second = { ...started('r1'), startedAt: '2026-11-21T05:00:00.000Z' };
    expect(await own.ledger.startOperation(second)).toEqual(started('r1'));
    expect(await own.ledger.readStartedOperation('r1', 0)).toEqual(started('r1'));
  });
});

describe('receipts', () => {
  test('are written once', async () => {
    expect(await own.ledger.saveReceipt('r1', 0, TABLE, receipt())).toEqual(receipt());
    const other = receipt({ status: 'failed' });
    expect(await own.ledger.saveReceipt('r1', 0, TABLE, other)).toEqual(receipt());
    expect(await own.ledger.readReceipt('r1', 0)).toEqual(receipt());
    expect(await own.ledger.readReceipt('r1', 7)).toBeNull();
  });

  test('two at once: both writers are given the same one', async () => {
    const writers = [1, 2, 3, 4].map((filesAfter) =>
      own.ledger.saveReceipt('race', 0, 'lake.x.race', receipt({ filesAfter })),
    );
    const given = await Promise.all(writers);
    expect(new Set(given.map((one) => one.filesAfter)).size).toBe(1);
    expect(await own.ledger.listReceipts('race')).toHaveLength(1);
  });

  test('of a run stand in its order, of a table newest first', async () => {
    await own.ledger.saveReceipt('r9', 2, 'lake.x.t', receipt({ operation: 'expire_snapshots' }));
    await own.ledger.saveReceipt('r9', 0, 'lake.x.t', receipt());
    const operations = (list: readonly { operation: string }[]) => list.map((one) => one.operation);
    expect(operations(await own.ledger.listReceipts('r9'))).toEqual([
      'compact',
      'expire_snapshots',
    ]);
    expect((await own.ledger.listReceipts('r9'))[0]).toMatchObject({ table: 'lake.x.t' });
    expect(operations(await own.ledger.recentReceipts('lake.x.t', 9))).toEqual([
      'compact',
      'expire_snapshots',
    ]);
    expect(await own.ledger.recentReceipts('lake.x.t', 1)).toHaveLength(1);
  });

  test('of a failure are not hidden by others, whatever came after it', async () => {
    const table = 'lake.x.busy';
    const error = { code: 'InvariantBroken', message: 'rows_unchanged' } as const;
    const cancelled = { code: 'Cancelled', message: 'by an operator' } as const;
    const noise: readonly Partial<Receipt>[] = [
      { operation: 'transform' },
      { operation: 'rewrite_manifests' },
      { status: 'refused', error: { code: 'TableChanged', message: 'moved' } },
      { status: 'failed', error: cancelled },
    ];
    const broken = receipt({ status: 'failed', error });
    await own.ledger.saveReceipt('busy', 0, table, broken);
    for (let at = 1; at <= 40; at += 1) {
      const other = receipt({ ...noise[at % noise.length], filesBefore: at });
      await own.ledger.saveReceipt('busy', at, table, other);
    }
    expect(await own.ledger.recentReceipts(table, 20)).not.toContainEqual(broken);
    const found = await own.ledger.receiptsOfEach(table, 3);
    expect(found.at(-1)).toEqual(broken);
    expect(found.map((one) => one.filesBefore).slice(0, -1)).toEqual([
      40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29,
    ]);
    const cadence = { kind: 'compact', policy: DEFAULT_SETTINGS.cadence } as const;
    const nowMs = Date.parse(broken.finishedAt) + 86_400_000;
    const judged = judgeCadence({ ...cadence, recentReceipts: found, nowMs });
    expect(judged).toMatchObject({ breakerOpen: true, allowed: false });
  });

  test.each([
    "update icewright.receipt set document = '{}'",
    'delete from icewright.receipt',
    'truncate icewright.receipt',
    'set session_replication_role = replica; delete from icewright.receipt',
  ])('%s is refused by the database', async (text) => {
    await expect(own.sql(text)).rejects.toThrow(/receipt is append-only/);
    expect(await own.ledger.readReceipt('r1', 0)).toEqual(receipt());
  });
});

describe('pins', () => {
  const now = '2026-11-21T02:00:00.000Z';
  const later = '2026-11-21T03:00:00.000Z';
  const pin = (snapshotId: string) => ({ table: TABLE, snapshotId });

  test('live until they are taken off or run out', async () => {
    await own.ledger.pinSnapshots('a', [pin('1'), pin('2'), pin('2')], later);
    await own.ledger.pinSnapshots('b', [pin('2'), { table: 'lake.x.y', snapshotId: '9' }], later);
    expect(await own.ledger.livePins(TABLE, now)).toEqual(['1', '2']);
    expect(await own.ledger.livePins('lake.x.y', now)).toEqual(['9']);
    expect(await own.ledger.livePins(TABLE, later)).toEqual([]);
    await own.ledger.unpinSnapshots('a');
    expect(await own.ledger.livePins(TABLE, now)).toEqual(['2']);
  });

  test('pinning again moves the end; nothing to pin is no fault', async () => {
    await own.ledger.pinSnapshots('c', [pin('5')], now);
    expect(await own.ledger.livePins(TABLE, now)).not.toContain('5');
    await own.ledger.pinSnapshots('c', [pin('5')], later);
    expect(await own.ledger.livePins(TABLE, now)).toContain('5');
    await own.ledger.pinSnapshots('d', [], later);
  });
});
