import { describe, expect, test } from 'vitest';
import type { SnapshotInfo } from '../../../src/domain/health/health.ts';
import { planExpiry } from '../../../src/domain/planner/expiry.ts';
import { previewExpiry, previewText } from '../../../src/domain/planner/expiry-preview.ts';
import {
  checkWatermarks,
  watermarksInChain,
} from '../../../src/domain/planner/expiry-watermarks.ts';
import { DAY_MS, health, line, NOW_MS } from '../health/fixture.ts';

const OLD = line([50, 40, 30, 20, 10]);

/** Each snapshot drops so many bytes, oldest first; `null`: its summary does not tell. */
function dropping(bytes: readonly (number | null)[], snapshots = OLD): SnapshotInfo[] {
  return snapshots.map((one, at) => {
    const dropped = bytes[at] ?? 0;
    const summary =
      bytes[at] === null
        ? { 'deleted-data-files': '1' }
        : { 'total-data-files': '1', 'removed-files-size': String(dropped) };
    return { ...one, operation: 'overwrite', summary };
  });
}

describe('what an expiry would free', () => {
  test('is exact where a whole beginning of the line goes', () => {
    const snapshots = dropping([0, 100, 20, 3, 7]);
    expect(previewExpiry(health({ snapshots }), ['1', '2', '3'])).toEqual({
      snapshots: 3,
      // Dropped by 2, 3 and 4, whose parents go; what 5 dropped is held by 4, which stays.
      bytesFreed: 123,
      bytesFreedIs: 'exact',
      rangeLost: {
        from: new Date(NOW_MS - 50 * DAY_MS).toISOString(),
        to: new Date(NOW_MS - 20 * DAY_MS - 1).toISOString(),
      },
    });
  });

  test('is the most where an older snapshot stays that may hold the files', () => {
    const snapshots = dropping([0, 100, 20, 3, 7]);
    expect(previewExpiry(health({ snapshots }), ['2', '3'])).toMatchObject({
      bytesFreed: 23,
      bytesFreedIs: 'at_most',
    });
  });

  test('is the least where a summary does not tell', () => {
    const snapshots = dropping([0, 100, null, 3, 7]);
    expect(previewExpiry(health({ snapshots }), ['1', '2', '3'])).toMatchObject({
      bytesFreed: 103,
      bytesFreedIs: 'at_least',
    });
  });

  test('leaves open what stray lines hold', () => {
    const stray = { ...line([20], 21)[0], parentSnapshotId: '1' } as SnapshotInfo;
    const snapshots = [...dropping([1], [stray]), ...dropping([0, 100, 20, 3, 7])];
    expect(previewExpiry(health({ snapshots }), ['1', '21'])).toMatchObject({
      bytesFreedIs: 'about',
    });
  });

  test('is nothing of nothing', () => {
    const preview = previewExpiry(health({ snapshots: OLD }), []);
    expect(preview).toEqual({ snapshots: 0, bytesFreed: 0, bytesFreedIs: 'exact' });
    expect(previewText(preview)).toBe('0 snapshots, frees 0 B');
  });
});

const KAFKA = { 'kafka.connect.offsets.control.connect-orders': '{}' };

describe('a table that a stream writes', () => {
  const hours = line([50, 40, 0.3, 0.2, 0.1]).map((one, at) => ({
    ...one,
    summary: at === 1 || at === 3 ? KAFKA : {},
  }));
  const plan = (snapshots: readonly SnapshotInfo[]) =>
    planExpiry({
      health: health({ snapshots }),
      olderThanMs: 0,
      keepLast: 1,
      pinned: [],
      consumers: { consumed: [], unreadable: [] },
      nowMs: NOW_MS,
    });

  test('keeps what is younger than some hours, whatever is asked for', () => {
    const young = line([50, 40, 0.3, 0.2, 0.1].map((days) => days / 10)).map((one, at) => ({
      ...one,
      summary: at === 4 ? KAFKA : {},
    }));
    expect(plan(young)).toMatchObject({ kind: 'expire', snapshotIds: ['1', '2'] });
  });

  test('has its watermark in the chain afterwards, or the check says which is lost', () => {
    const told = plan(hours);
    const ids = told.kind === 'expire' ? told.snapshotIds : [];
    expect(ids).toEqual(['1', '2', '3']);
    const before = watermarksInChain(health({ snapshots: hours }));
    expect(before).toEqual(['main: kafka.connect.offsets.control.connect-orders']);
    const left = hours.filter((one) => !ids.includes(one.snapshotId));
    expect(checkWatermarks(before, health({ snapshots: left }))).toMatchObject({ ok: true });
    const lost = checkWatermarks(before, health({ snapshots: left.slice(-1) }));
    expect(lost).toMatchObject({ ok: false, detail: before[0] });
  });
});
