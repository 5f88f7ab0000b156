import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../../src/domain/operation.ts';
import { consecutiveFailures, judgeCadence } from '../../../src/domain/policy/cadence.ts';
import { type CadencePolicy, DEFAULT_SETTINGS } from '../../../src/domain/policy/policy.ts';
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
