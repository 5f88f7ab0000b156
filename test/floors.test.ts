import { describe, expect, test } from 'vitest';
import type { RetentionFloors } from '../src/domain/catalog-traits.ts';
import { rememberFloors } from '../src/floors.ts';

const WEEK: RetentionFloors = { expireSnapshotsMs: 7 * 86_400_000, removeOrphansMs: null };

describe('the floors of Trino', () => {
  test('are asked once an hour', async () => {
    let asked = 0;
    let nowMs = 0;
    const ask = rememberFloors(
      async () => {
        asked += 1;
        return WEEK;
      },
      () => nowMs,
    );
    expect(await Promise.all([ask(), ask()])).toEqual([WEEK, WEEK]);
    nowMs = 3_599_999;
    await ask();
    expect(asked).toBe(1);
    nowMs = 3_600_000;
    await ask();
    expect(asked).toBe(2);
  });

  test('are not known while Trino fails, which is tried again a minute later', async () => {
    let nowMs = 0;
    let broken = true;
    const ask = rememberFloors(
      () => (broken ? Promise.reject(new Error('down')) : Promise.resolve(WEEK)),
      () => nowMs,
    );
    expect(await ask()).toBeNull();
    broken = false;
    expect(await ask()).toBeNull();
    nowMs = 60_000;
    expect(await ask()).toEqual(WEEK);
  });
});
