import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import {
  consecutiveFailures,
  consecutiveNoops,
  judgeCadence,
} from '../../../src/domain/policy/cadence.ts';
import {
  type CadencePolicy,
  DEFAULT_SETTINGS,
  type WindowPolicy,
} from '../../../src/domain/policy/policy.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { failure, NOW_MS, receipt } from '../health/fixture.ts';

const HOUR_MS = 3_600_000;

function judge(recentReceipts: readonly Receipt[], change: Partial<CadencePolicy> = {}) {
  const policy = { ...DEFAULT_SETTINGS.cadence, ...change };
  return judgeCadence({ kind: 'compact', policy, recentReceipts, nowMs: NOW_MS });
}

test('a table without receipts may run at once', () => {
  expect(judge([])).toMatchObject({ allowed: true, breakerOpen: false, nextEligibleAtMs: null });
});

describe('minimum interval', () => {
  const last = receipt('compact', { finishedAt: new Date(NOW_MS - HOUR_MS).toISOString() });
  test('holds back until it is over, and says when', () => {
    const cadence = judge([last], { minIntervalMs: 2 * HOUR_MS });
    expect(cadence).toMatchObject({ allowed: false, nextEligibleAtMs: NOW_MS + HOUR_MS });
    expect(cadence.reasons).toContainEqual(
      expect.objectContaining({ metric: 'minutes_since_last_run', value: 60, threshold: 120 }),
    );
  });
  test('lets through at the very end of it', () => {
    expect(judge([last], { minIntervalMs: HOUR_MS }).allowed).toBe(true);
  });
  test('of another operation does not count', () => {
    const other = { ...last, operation: 'expire_snapshots' as const };
    expect(judge([other], { minIntervalMs: 2 * HOUR_MS }).allowed).toBe(true);
  });
});

describe('back-off after failures', () => {
  test('doubles with each failure and ends at its maximum', () => {
    const policy = {
      failureBackoffMs: HOUR_MS,
      failureBackoffMaxMs: 3 * HOUR_MS,
      breakerFailures: 9,
    };
    const waits = [1, 2, 3, 4].map((count) => {
      const failures = Array.from({ length: count }, () => failure('compact', 0));
      return ((judge(failures, policy).nextEligibleAtMs ?? 0) - NOW_MS) / HOUR_MS;
    });
    expect(waits).toEqual([1, 2, 3, 3]);
  });
  test('a success ends it', () => {
    expect(judge([receipt('compact'), failure('compact', 5)]).allowed).toBe(true);
  });
  test('a cancelled run is no failure', () => {
    const cancelled = receipt('compact', {
      status: 'failed',
      error: { code: 'Cancelled', message: 'by an operator' },
    });
    expect(judge([cancelled])).toMatchObject({ allowed: true });
  });
});

describe('back-off after refusals', () => {
  const refusal = (minutesAgo: number, code: ErrorCode = 'SafetyRefused') => ({
    ...failure('compact', minutesAgo),
    status: 'refused' as const,
    error: { code, message: 'no' },
  });
  const policy = { failureBackoffMs: HOUR_MS, failureBackoffMaxMs: 3 * HOUR_MS };
  const waits = (receipts: readonly Receipt[], change: Partial<CadencePolicy> = {}) =>
    ((judge(receipts, { ...policy, ...change }).nextEligibleAtMs ?? NOW_MS) - NOW_MS) / HOUR_MS;

  test('doubles with each, ends at its maximum, and never opens the breaker', () => {
    const refusals = [1, 2, 3, 4].map((count) => Array.from({ length: count }, () => refusal(0)));
    expect(refusals.map((list) => waits(list))).toEqual([1, 2, 3, 3]);
    expect(judge(refusals[3] as Receipt[])).toMatchObject({ allowed: false, breakerOpen: false });
    expect(judge([refusal(30)], policy).reasons).toContainEqual(
      expect.objectContaining({
        metric: 'minutes_since_last_refusal',
        value: 30,
        threshold: 60,
        met: false,
      }),
    );
  });
  test('is over when its time is, or when anything else came of it', () => {
    expect(judge([refusal(60)], policy).allowed).toBe(true);
    expect(judge([receipt('compact'), refusal(5)], policy).allowed).toBe(true);
    expect(waits([failure('compact', 0), refusal(0), refusal(0)])).toBe(1);
  });
  test('does not count a table that had moved, nor a run that was cancelled', () => {
    expect(judge([refusal(0, 'TableChanged')], policy).allowed).toBe(true);
    expect(waits([refusal(0, 'TableChanged'), refusal(0)])).toBe(1);
    const cancelled = { ...refusal(0, 'Cancelled'), status: 'failed' as const };
    expect(waits([cancelled, refusal(0)])).toBe(1);
  });
  test('is cleared by a resume', () => {
    const at = new Date(NOW_MS - 60_000).toISOString();
    const told = { kind: 'resume', pattern: '*', operation: null, until: null } as const;
    const pauses = [{ ...told, reason: '', by: 'cli:ana', at }];
    const cadence = { ...DEFAULT_SETTINGS.cadence, ...policy };
    const common = { kind: 'compact', policy: cadence, nowMs: NOW_MS, pauses } as const;
    const table = 'lake.bronze.raw_orders';
    const allowed = (receipts: readonly Receipt[]) =>
      judgeCadence({ ...common, table, recentReceipts: receipts }).allowed;
    expect(allowed([refusal(5)])).toBe(true);
    expect(allowed([refusal(0), refusal(5)])).toBe(false);
  });
});

describe('breaker', () => {
  const three = [1, 2, 3].map((minutes) => failure('compact', minutes * 10_000));
  test('opens after three failures in a row and waits for a person, not for a time', () => {
    const cadence = judge(three);
    expect(cadence).toMatchObject({ allowed: false, breakerOpen: true, nextEligibleAtMs: null });
    expect(cadence.reasons[0]).toMatchObject({ value: 3, threshold: 3, met: false });
  });
  test('closes when a run by hand has succeeded', () => {
    expect(judge([receipt('compact'), ...three])).toMatchObject({ breakerOpen: false });
  });
  test('refusals are not failures', () => {
    const refused = three.map((one) => ({ ...one, status: 'refused' as const }));
    expect(consecutiveFailures('compact', refused)).toBe(0);
  });
});

describe('runs in vain', () => {
  const vain = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      receipt('compact', {
        status: 'noop',
        finishedAt: new Date(NOW_MS - index * 60_000).toISOString(),
      }),
    );
  const hours = (count: number, change: Partial<CadencePolicy> = {}) =>
    ((judge(vain(count), change).nextEligibleAtMs ?? NOW_MS) - NOW_MS) / HOUR_MS;

  test('make the pause grow by half from the third on, up to its maximum', () => {
    expect([1, 2, 3, 4, 5].map((count) => hours(count))).toEqual([0, 0, 1.5, 2.25, 3.375]);
    expect(hours(50)).toBe(24);
    expect(hours(3, { noopBackoffMaxMs: HOUR_MS })).toBe(1);
  });
  test('the minimum interval is what grows when it is longer', () => {
    expect(hours(3, { minIntervalMs: 4 * HOUR_MS })).toBe(6);
  });
  test('a run that did something ends it; a refusal does not count', () => {
    expect(judge([receipt('compact'), ...vain(9)]).allowed).toBe(true);
    const refused = { ...receipt('compact'), status: 'refused' as const };
    expect(consecutiveNoops('compact', [refused, ...vain(4)])).toBe(4);
  });
  test('never hold back what is overdue', () => {
    const old = vain(20).map((one) => ({
      ...one,
      finishedAt: new Date(NOW_MS - 20 * HOUR_MS).toISOString(),
    }));
    expect(judge(old).allowed).toBe(false);
    expect(judge(old, { mustRunWithinMs: 20 * HOUR_MS })).toMatchObject({
      allowed: true,
      overdue: true,
    });
  });
});

describe('a deadline', () => {
  const last = receipt('compact', { finishedAt: new Date(NOW_MS - 7 * HOUR_MS).toISOString() });
  test.each([
    [8, false],
    [7, true],
  ])('of %d hours, seven hours after the last run: overdue %s', (hours, overdue) => {
    const cadence = judge([last], { mustRunWithinMs: hours * HOUR_MS });
    expect(cadence).toMatchObject({ overdue, allowed: true });
    expect(cadence.reasons.at(-1)).toMatchObject({
      metric: 'hours_since_last_run',
      value: 7,
      threshold: hours,
      met: true,
    });
  });
  test('counts from the age of the table where it never ran, and from nothing without one', () => {
    const policy = { ...DEFAULT_SETTINGS.cadence, mustRunWithinMs: HOUR_MS };
    const never = { kind: 'compact', policy, recentReceipts: [], nowMs: NOW_MS } as const;
    expect(judgeCadence({ ...never, bornAtMs: NOW_MS - HOUR_MS }).overdue).toBe(true);
    expect(judgeCadence({ ...never, bornAtMs: NOW_MS - 1 }).overdue).toBe(false);
    expect(judgeCadence(never).overdue).toBe(false);
  });
  test('opens neither a window nor a breaker', () => {
    const three = [1, 2, 3].map((minutes) => failure('compact', minutes * 10_000));
    expect(judge(three, { mustRunWithinMs: 60_000 })).toMatchObject({ allowed: false });
  });
});

describe('a window', () => {
  const window: WindowPolicy = {
    zone: 'UTC',
    days: [],
    blackouts: [],
    missed: 'skip',
    from: '03:00',
    to: '05:00',
  };
  test('that is closed holds back until it opens', () => {
    const cadence = judge([], { window });
    expect(cadence).toMatchObject({ allowed: false, nextEligibleAtMs: NOW_MS + HOUR_MS });
    expect(cadence.reasons.at(-1)).toMatchObject({
      metric: 'window_open',
      met: false,
      because: 'the window is 03:00 to 05:00 UTC',
    });
  });
  test('is what a wait ends in: never a time at which it is closed', () => {
    const last = receipt('compact', { finishedAt: new Date(NOW_MS).toISOString() });
    const next = judge([last], { window, minIntervalMs: 4 * HOUR_MS }).nextEligibleAtMs ?? 0;
    expect(new Date(next).toISOString()).toBe('2026-11-22T03:00:00.000Z');
    const soon = judge([last], { window, minIntervalMs: 2 * HOUR_MS }).nextEligibleAtMs ?? 0;
    expect(new Date(soon).toISOString()).toBe('2026-11-21T04:00:00.000Z');
  });
});

test('the spread is the same for one table always, and differs between tables', () => {
  const last = receipt('compact', { finishedAt: new Date(NOW_MS).toISOString() });
  const policy = { ...DEFAULT_SETTINGS.cadence, minIntervalMs: HOUR_MS, spreadMs: HOUR_MS };
  const next = (table: string) =>
    judgeCadence({ kind: 'compact', policy, recentReceipts: [last], nowMs: NOW_MS, table })
      .nextEligibleAtMs ?? 0;
  const all = Array.from({ length: 200 }, (_, index) => next(`lake.a.t${index}`) - NOW_MS);
  expect(next('lake.a.t0') - NOW_MS).toBe(all[0]);
  expect(Math.min(...all)).toBeGreaterThanOrEqual(HOUR_MS);
  expect(Math.max(...all)).toBeLessThan(2 * HOUR_MS);
  const quarters = [0, 1, 2, 3].map(
    (quarter) =>
      all.filter((one) => Math.floor((4 * (one - HOUR_MS)) / HOUR_MS) === quarter).length,
  );
  expect(Math.min(...quarters)).toBeGreaterThan(25);
});

test('more failures never make it eligible earlier', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), (count) => {
      const at = (failures: number) =>
        judge(
          Array.from({ length: failures }, () => failure('compact', 10)),
          { breakerFailures: 100 },
        ).nextEligibleAtMs ?? 0;
      expect(at(count + 1)).toBeGreaterThanOrEqual(at(count));
    }),
  );
});

test('a broken invariant opens the breaker at once, until a run succeeds', () => {
  const error = { code: 'InvariantBroken', message: 'rows_unchanged' } as const;
  const broken = { ...failure('compact', 0), error };
  expect(judge([broken])).toMatchObject({ allowed: false, breakerOpen: true });
  expect(judge([receipt('compact'), broken]).breakerOpen).toBe(false);
});
