import { describe, expect, it } from 'vitest';
import type { ErasureFilter } from '../../src/activities/erasure-ports.ts';
import type { RunRow, StoredReport } from '../../src/activities/ledger-port.ts';
import type { Plan } from '../../src/domain/operation.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { type RestoreDeps, restoreMetrics } from '../../src/worker/restore-metrics.ts';
import { makeDecision, makeReceipt, makeReport, NOW_MS, scrape } from '../http/metrics-fixture.ts';
import { erasureRequest } from '../proof/fixture.ts';

const TABLE = 'lake.silver.orders';
const due = (operation: string) =>
  'icewright_operation_due_since_timestamp_seconds' +
  `{catalog="lake",namespace="silver",table="orders",operation="${operation}"}`;
const SNAPSHOTS = 'iceberg_snapshot_count{catalog="lake",namespace="silver",table="orders"}';

const night = (runId: string, state: RunRow['state'], finishedAt: string | null): RunRow => ({
  runId,
  kind: 'nightly',
  table: null,
  title: 'nightly',
  parentRunId: null,
  workflowId: '',
  planId: null,
  state,
  requestedBy: 'schedule:nightly',
  createdAt: '2026-03-01T01:00:00Z',
  startedAt: null,
  finishedAt,
  error: null,
  outcome: null,
});

const PLAN: Plan = {
  planId: 'n2',
  createdAt: '2026-03-01T01:30:00Z',
  tables: [
    {
      table: TABLE,
      tableUuid: 'a',
      snapshotId: '1',
      decisions: [makeDecision('compact'), makeDecision('expire_snapshots')],
    },
  ],
};

interface Known {
  readonly reports?: readonly StoredReport[];
  readonly receipts?: readonly Receipt[];
}

const NONE: RestoreDeps['erasures'] = { listRequests: async () => [] };

/** A ledger that knows two nights and the plan of the last one. */
function ledgerOf({ reports = [], receipts = [] }: Known): RestoreDeps['ledger'] {
  return {
    latestReports: async () => reports,
    listRuns: async () => [
      night('n2', 'failed', '2026-03-01T02:00:00Z'),
      night('n1', 'done', '2026-02-28T02:00:00Z'),
    ],
    readPlan: async (planId) => (planId === 'n2' ? PLAN : null),
    recentReceipts: async () => receipts,
  };
}

const stored = (snapshots: number): StoredReport => ({
  ...makeReport(TABLE, { snapshots }),
  etag: null,
  location: null,
});

describe('the gauges of a worker that has just started', () => {
  it('show the last measurements, the last nights, and what is still due', async () => {
    const metrics = createMetrics({ nowMs: () => NOW_MS });
    const receipts = [
      makeReceipt('compact', 'done'),
      { ...makeReceipt('expire_snapshots', 'done'), finishedAt: '2026-02-28T01:50:00Z' },
    ];
    const ledger = ledgerOf({ reports: [stored(7)], receipts });
    await restoreMetrics({ ledger, erasures: NONE, metrics, catalog: 'lake' });
    const found = await scrape(metrics);
    expect(found).toMatchObject({
      [SNAPSHOTS]: 7,
      icewright_nightly_last_failed: 1,
      icewright_nightly_last_end_timestamp_seconds: Date.parse('2026-03-01T02:00:00Z') / 1000,
      icewright_nightly_last_success_timestamp_seconds: Date.parse('2026-02-28T02:00:00Z') / 1000,
      [due('expire_snapshots')]: Date.parse(PLAN.createdAt) / 1000,
    });
    expect(found).not.toHaveProperty([due('compact')]);
    // What happened before is not counted again.
    expect(Object.keys(found).filter((name) => name.startsWith('icewright_operations'))).toEqual(
      [],
    );
  });

  it('begin without what the ledger does not tell', async () => {
    const metrics = createMetrics();
    const fail = async () => {
      throw new Error('the ledger is away');
    };
    const ledger = { ...ledgerOf({}), latestReports: fail };
    await restoreMetrics({ ledger, erasures: NONE, metrics, catalog: 'lake' });
    expect(await scrape(metrics)).toMatchObject({ icewright_nightly_last_failed: 1 });
  });
});

it('the open erasures are read from the ledger, and those that have ended are not asked for', async () => {
  const metrics = createMetrics({ nowMs: () => NOW_MS });
  const asked: ErasureFilter[] = [];
  const erasures: RestoreDeps['erasures'] = {
    listRequests: async (filter) => {
      asked.push(filter);
      const deadlineAt = new Date(NOW_MS + 3 * 86_400_000).toISOString();
      return [erasureRequest({ state: 'verifying', deadlineAt })];
    },
  };
  await restoreMetrics({ ledger: ledgerOf({}), erasures, metrics, catalog: 'lake' });
  expect(await scrape(metrics)).toMatchObject({
    icewright_erasure_days_left: 3,
    'icewright_erasures_open{state="verifying"}': 1,
  });
  expect(asked[0]?.states).not.toContain('done');
});

describe('the gauges of a worker beside others', () => {
  it('follow what the others measured, and its own sweep goes before', async () => {
    const clock = { nowMs: NOW_MS };
    const nowMs = () => clock.nowMs;
    const metrics = createMetrics({ nowMs });
    const restore = (snapshots: number) =>
      restoreMetrics({
        ledger: ledgerOf({ reports: [stored(snapshots)] }),
        erasures: NONE,
        metrics,
        catalog: 'lake',
        nowMs,
      });
    await restore(7);
    await restore(8);
    expect((await scrape(metrics))[SNAPSHOTS]).toBe(8);
    metrics.healthSwept([makeReport(TABLE, { snapshots: 3 })]);
    await restore(9);
    expect((await scrape(metrics))[SNAPSHOTS]).toBe(3);
    clock.nowMs += 3_600_000;
    await restore(10);
    expect((await scrape(metrics))[SNAPSHOTS]).toBe(10);
  });
});
