import { describe, expect, it } from 'vitest';
import type { Decision, TablePlan } from '../../src/domain/operation.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { makeDecision, makeReceipt, NOW_MS, scrape } from './metrics-fixture.ts';

const TABLE = 'lake.silver.orders';
const LABELS = '{catalog="lake",namespace="silver",table="orders",operation="expire_snapshots"}';
const DUE = `icewright_operation_due_since_timestamp_seconds${LABELS}`;
const OPEN = `icewright_breaker_open${LABELS}`;

const metricsAt = () => createMetrics({ nowMs: () => NOW_MS });
const plan = (own: Partial<Decision> = {}): readonly TablePlan[] => [
  {
    table: TABLE,
    tableUuid: 'a',
    snapshotId: '1',
    decisions: [makeDecision('expire_snapshots', own)],
  },
];
const paused = {
  action: 'skip',
  reasons: [
    { metric: 'consecutive_failures', value: 3, threshold: 3, met: false, because: 'paused' },
  ],
} as const;

describe('an operation', () => {
  it('is due from the first plan that wants it until it succeeds', async () => {
    const metrics = metricsAt();
    metrics.maintenancePlanned(plan(), 1_000_000);
    metrics.maintenancePlanned(plan(), 2_000_000);
    metrics.operationEnded(makeReceipt('expire_snapshots', 'failed'), TABLE);
    metrics.operationEnded(makeReceipt('rewrite_manifests', 'done'), TABLE);
    expect((await scrape(metrics))[DUE]).toBe(1_000);
    metrics.operationEnded(makeReceipt('expire_snapshots', 'noop'), TABLE);
    expect(await scrape(metrics)).not.toHaveProperty([DUE]);
  });

  it('is due no longer when a plan wants it no more', async () => {
    const metrics = metricsAt();
    metrics.maintenancePlanned(plan(), 1_000_000);
    metrics.maintenancePlanned(plan({ action: 'skip' }), 2_000_000);
    expect(await scrape(metrics)).not.toHaveProperty([DUE]);
  });

  it('is due no longer when a sweep finds its table gone', async () => {
    const metrics = metricsAt();
    metrics.maintenancePlanned(plan(), 1_000_000);
    const sweep = { catalog: 'lake', startedAtMs: 1, finishedAtMs: 2, intervalMs: 3 };
    metrics.healthSwept([], { ...sweep, catalog: 'other' });
    expect(await scrape(metrics)).toHaveProperty([DUE]);
    metrics.healthSwept([], sweep);
    expect(await scrape(metrics)).not.toHaveProperty([DUE]);
  });

  it('of a catalog that is never swept is seen by the age of its sweeps', async () => {
    const metrics = metricsAt();
    metrics.sweepExpected('lake', 300_000);
    const found = await scrape(metrics);
    const labels = '{catalog="lake"}';
    expect(found[`icewright_health_last_sweep_timestamp_seconds${labels}`]).toBe(NOW_MS / 1_000);
    expect(found[`icewright_health_interval_seconds${labels}`]).toBe(300);
  });

  it('shows its open breaker until a run by hand succeeds', async () => {
    const metrics = metricsAt();
    metrics.maintenancePlanned(plan(paused), 1_000_000);
    const found = await scrape(metrics);
    expect(found[OPEN]).toBe(1);
    expect(found).not.toHaveProperty([DUE]);
    metrics.operationEnded(makeReceipt('expire_snapshots', 'done'), TABLE);
    expect(await scrape(metrics)).not.toHaveProperty([OPEN]);
  });

  it('is one of at most a thousand', async () => {
    const metrics = metricsAt();
    for (let at = 0; at < 1_100; at += 1) {
      metrics.maintenancePlanned([{ ...plan()[0], table: `lake.a.t${at}` } as TablePlan], at);
    }
    const found = Object.keys(await scrape(metrics)).filter((key) => key.includes('due_since'));
    expect(found).toHaveLength(1_000);
    expect(found.join()).toContain('"t0"');
  });
});

describe('a night', () => {
  it('tells its end, its last success and whether it failed', async () => {
    const metrics = metricsAt();
    const names = Object.keys(await scrape(metrics));
    expect(names.filter((name) => name.includes('nightly'))).toEqual([]);
    metrics.nightEnded('done', NOW_MS - 86_400_000);
    metrics.runEnded('nightly', 'failed');
    metrics.runEnded('maintenance', 'done');
    expect(await scrape(metrics)).toMatchObject({
      icewright_nightly_last_end_timestamp_seconds: NOW_MS / 1000,
      icewright_nightly_last_success_timestamp_seconds: NOW_MS / 1000 - 86_400,
      icewright_nightly_last_failed: 1,
      'icewright_runs_total{kind="nightly",state="failed"}': 1,
    });
    metrics.runEnded('nightly', 'done');
    expect(await scrape(metrics)).toMatchObject({ icewright_nightly_last_failed: 0 });
  });
});

describe('erasures', () => {
  const LEFT = 'icewright_erasure_days_left';
  const DAY_MS = 86_400_000;

  it('tell the nearest deadline, also a missed one, and how many there are in each state', async () => {
    const metrics = metricsAt();
    expect(Object.keys(await scrape(metrics)).filter((name) => name.includes('erasure'))).toEqual(
      [],
    );
    metrics.erasuresOpen([
      { state: 'awaiting_approval', deadlineAtMs: NOW_MS + 10 * DAY_MS },
      { state: 'forgetting', deadlineAtMs: NOW_MS + 20 * DAY_MS },
      { state: 'forgetting', deadlineAtMs: NOW_MS + 30 * DAY_MS },
    ]);
    expect(await scrape(metrics)).toMatchObject({
      [LEFT]: 10,
      'icewright_erasures_open{state="awaiting_approval"}': 1,
      'icewright_erasures_open{state="forgetting"}': 2,
      'icewright_erasures_open{state="failed"}': 0,
    });
    metrics.erasuresOpen([{ state: 'failed', deadlineAtMs: NOW_MS - DAY_MS / 2 }]);
    expect(await scrape(metrics)).toMatchObject({
      [LEFT]: -0.5,
      'icewright_erasures_open{state="failed"}': 1,
    });
  });

  it('have no deadline where none is open', async () => {
    const metrics = metricsAt();
    metrics.erasuresOpen([]);
    const found = await scrape(metrics);
    expect(found).not.toHaveProperty([LEFT]);
    expect(found).toMatchObject({ 'icewright_erasures_open{state="requested"}': 0 });
  });
});
