import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterDue,
  checkInterval,
  type HealthClock,
  nextDueMs,
  takeDue,
  withInterval,
} from '../../../src/domain/health/clock.ts';

const MINUTE = 60_000;
const clock = (more: Partial<HealthClock> = {}): HealthClock => ({
  intervalMs: 5 * MINUTE,
  lastDueMs: 0,
  missed: 0,
  ...more,
});

describe('a changed interval', () => {
  it('makes a sweep due now at most: nothing was missed before', () => {
    const daily = clock({ intervalMs: 1_440 * MINUTE });
    const often = withInterval(daily, MINUTE, 720 * MINUTE);
    expect(takeDue(often, 720 * MINUTE)).toEqual({ dueMs: 720 * MINUTE, missed: 0 });
  });

  it('keeps the grid when it is not over yet, and what was late before', () => {
    expect(withInterval(clock(), 10 * MINUTE, MINUTE)).toEqual(clock({ intervalMs: 10 * MINUTE }));
    expect(takeDue(withInterval(clock(), MINUTE, 7 * MINUTE), 7 * MINUTE)?.missed).toBe(6);
  });
});

describe('due times', () => {
  it('a new clock is due at once', () => {
    expect(takeDue(clock({ lastDueMs: null }), 77)).toEqual({ dueMs: 77, missed: 0 });
  });

  it('nothing is due before its time, and exactly one at it', () => {
    expect(takeDue(clock(), 5 * MINUTE - 1)).toBeNull();
    expect(takeDue(clock(), 5 * MINUTE)).toEqual({ dueMs: 5 * MINUTE, missed: 0 });
  });

  it('a late sweep stands on the grid, and makes up for those before it', () => {
    expect(takeDue(clock(), 7 * MINUTE)).toEqual({ dueMs: 5 * MINUTE, missed: 0 });
    expect(takeDue(clock(), 17 * MINUTE)).toEqual({ dueMs: 15 * MINUTE, missed: 2 });
  });

  it('a shorter interval is due at once when its time has passed already', () => {
    const changed = clock({ lastDueMs: 0, intervalMs: MINUTE });
    expect(nextDueMs(changed, 3 * MINUTE)).toBe(MINUTE);
    expect(takeDue(changed, 3 * MINUTE)).toEqual({ dueMs: 3 * MINUTE, missed: 2 });
  });

  it('whenever somebody looks, each due time is swept or made up for exactly once', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), looks, (intervalMs, pauses) => {
        let now = 1_000;
        let at = clock({ intervalMs, lastDueMs: null });
        let swept = 0;
        for (const pause of [0, ...pauses]) {
          now += pause;
          const due = takeDue(at, now);
          if (due === null) continue;
          swept += 1;
          expect(due.dueMs).toBeLessThanOrEqual(now);
          expect(due.dueMs).toBeGreaterThan(at.lastDueMs ?? 0);
          at = afterDue(at, due);
          expect(takeDue(at, now)).toBeNull();
          expect((at.lastDueMs ?? 0) - 1_000).toBe((swept - 1 + at.missed) * intervalMs);
        }
      }),
    );
  });
});

describe('the interval', () => {
  it.each([9_999, 86_400_001, Number.NaN, 20_000.5])('%d ms is refused', (intervalMs) => {
    expect(() => checkInterval(intervalMs)).toThrow(/expected 10s to 1d/);
  });
  it.each([10_000, 300_000, 86_400_000])('%d ms is taken', (intervalMs) => {
    expect(() => checkInterval(intervalMs)).not.toThrow();
  });
});
