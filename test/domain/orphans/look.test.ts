import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoredFile } from '../../../src/domain/orphans/files.ts';
import {
  confirm,
  isSameFile,
  judgeFile,
  ORPHAN_AGE_FLOOR_MS,
  orphanAge,
  orphanCap,
} from '../../../src/domain/orphans/look.ts';
import { lookText } from '../../../src/domain/orphans/look-record.ts';
import { findOverlap, overlap, refusePlaces } from '../../../src/domain/orphans/places.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';

const HOUR_MS = 3_600_000;
const DIRECTORY = 's3://lake/a/t/';

const time = fc.option(fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constant(Number.NaN)));
const file: fc.Arbitrary<StoredFile> = fc.record({
  uri: fc
    .constantFrom('t/', 't_2/', 't', 'tt/', 't/t_2/')
    .chain((folder) =>
      fc.constantFrom('x', 'y', 'data/z', '').map((name) => `s3://lake/a/${folder}${name}`),
    ),
  sizeBytes: fc.integer({ min: 0, max: 3 }),
  modifiedAtMs: time,
  etag: fc.option(fc.constantFrom('"a"', '"b"')),
});

describe('a look', () => {
  test('never takes what is reachable, young, of unknown age, or a sibling’s', () => {
    fc.assert(
      fc.property(
        fc.array(file),
        fc.array(file),
        fc.integer({ min: 0, max: 1_000 }),
        (files, live, cutoffMs) => {
          const reachable = new Set(live.map((one) => one.uri));
          const rules = {
            directory: DIRECTORY,
            isReachable: (uri: string) => reachable.has(uri),
            cutoffMs,
          };
          for (const one of files.filter((one) => judgeFile(one, rules) === 'candidate')) {
            expect(reachable.has(one.uri)).toBe(false);
            expect(one.uri.startsWith(DIRECTORY)).toBe(true);
            expect(one.modifiedAtMs).toBeLessThan(cutoffMs);
          }
        },
      ),
    );
  });

  test('deletes only what both found, the same in everything', () => {
    fc.assert(
      fc.property(fc.array(file), fc.array(file), (first, second) => {
        for (const one of confirm(first, second)) {
          const same = first.filter((other) => other.uri === one.uri).at(-1) as StoredFile;
          expect(isSameFile(one, same)).toBe(true);
          expect(one.etag).not.toBeNull();
          expect(one.modifiedAtMs).not.toBeNull();
          expect(second).toContain(one);
        }
      }),
    );
  });

  test('has one text for one list, in any order, and another for any other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (one) => one.uri }), (files) => {
        expect(lookText('u', [...files].reverse())).toBe(lookText('u', files));
        expect(lookText('v', files)).not.toBe(lookText('u', files));
        const [one] = files;
        if (one === undefined) return;
        const other = [{ ...one, sizeBytes: one.sizeBytes + 1 }, ...files.slice(1)];
        expect(lookText('u', other)).not.toBe(lookText('u', files));
      }),
    );
  });
});

function lasting(hours: number): Receipt {
  const finishedAt = new Date(hours * HOUR_MS).toISOString();
  return { startedAt: new Date(0).toISOString(), finishedAt } as Receipt;
}

describe('the age of an orphan', () => {
  test('is never below the floor, the wish, or twice the longest write', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000 * HOUR_MS }),
        fc.array(fc.integer({ min: 0, max: 200 })),
        (wishMs, hours) => {
          const { ageMs } = orphanAge(wishMs, hours.map(lasting));
          expect(ageMs).toBeGreaterThanOrEqual(ORPHAN_AGE_FLOOR_MS);
          expect(ageMs).toBeGreaterThanOrEqual(wishMs);
          for (const one of hours) expect(ageMs).toBeGreaterThanOrEqual(2 * one * HOUR_MS);
        },
      ),
    );
  });

  test('does not count what writes no file', () => {
    const removal: Receipt = { ...lasting(500), operation: 'remove_orphans' };
    expect(orphanAge(0, [removal]).ageMs).toBe(ORPHAN_AGE_FLOOR_MS);
  });

  test('says which rule decided', () => {
    expect(orphanAge(7 * 24 * HOUR_MS, [lasting(1)]).because).toBe('as asked');
    expect(orphanAge(HOUR_MS, []).because).toContain('floor');
    expect(orphanAge(HOUR_MS, [lasting(50)])).toEqual({
      ageMs: 100 * HOUR_MS,
      because: 'twice the longest write of the table (2.1 d)',
    });
  });
});

describe('the cap', () => {
  test.each([
    [{ maxFiles: 1_000, maxShare: 0.05 }, 100_000, 1_000],
    [{ maxFiles: 1_000, maxShare: 0.05 }, 2_000, 100],
    [{ maxFiles: 1_000, maxShare: 0.05 }, 10, 20],
    [{ maxFiles: 5, maxShare: 0.05 }, 10, 5],
    [{ maxFiles: 0, maxShare: 1 }, 10, 0],
  ])('%o of %d live files is %d', (limits, live, cap) => {
    expect(orphanCap(limits, live)).toBe(cap);
  });
});

describe('places', () => {
  test.each([
    ['s3://lake/a/t', 's3a://lake/a/t/'],
    ['s3://lake/a/t', 's3://lake/a/t/inner'],
    ['s3://lake/a//t', 's3n://lake/a/t/inner'],
    ['s3://lake/a/t/inner/', 's3://lake/a/t'],
  ])('%s and %s overlap', (one, other) => {
    expect([overlap(one, other), overlap(other, one)]).toEqual([true, true]);
  });

  test.each([
    ['s3://lake/a/t', 's3://lake/a/t_2'],
    ['s3://lake/a/t', 's3://lake/a/T'],
    ['s3://lake/a/t', 's3://lake-2/a/t'],
  ])('%s and %s are apart', (one, other) => {
    expect([overlap(one, other), overlap(other, one)]).toEqual([false, false]);
  });

  test('another table’s data path counts as well as its location', () => {
    const own = { table: 'lake.a.t', places: ['s3://lake/a/t'] };
    const other = { table: 'lake.a.u', places: ['s3://lake/a/u', 's3://lake/a/t/data/u'] };
    expect(findOverlap(own, [own, other])).toEqual({
      table: 'lake.a.u',
      place: 's3://lake/a/t/data/u',
    });
    expect(findOverlap(own, [own])).toBeNull();
  });

  test.each([
    [['file:///warehouse/t'], /only folders of an S3 bucket/],
    [['s3://lake/'], /only folders of an S3 bucket/],
    [['s3://lake/a/t', 's3://other/data'], /outside of its location/],
    [['s3://lake/a/t', 's3a://lake/a/t/data'], null],
  ])('%o', (places, why) => {
    const told = refusePlaces('lake.a.t', places);
    if (why === null) expect(told).toBeNull();
    else expect(told).toMatch(why);
  });
});
