import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSampled, PathSet, placeOf } from '../../src/iceberg/path-set.ts';

const path = fc.webUrl({ withQueryParameters: true, withFragments: true });

describe('a set of paths', () => {
  test('finds whatever was added, in every spelling that may be the same object', () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: 3_000 }), (paths) => {
        const set = new PathSet();
        for (const uri of paths) set.add(uri);
        for (const uri of paths) {
          expect(set.has(uri)).toBe(true);
          expect(set.has(uri.replace(/^[a-z]+:/, 's3a:'))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('counts each once, and finds none that was not added', () => {
    const set = new PathSet();
    for (let pass = 0; pass < 2; pass += 1) {
      for (let at = 0; at < 20_000; at += 1) set.add(`s3://lake/t/data/${at}.parquet`);
    }
    expect(set.size).toBe(20_000);
    for (let at = 20_000; at < 40_000; at += 1) {
      expect(set.has(`s3://lake/t/data/${at}.parquet`)).toBe(false);
    }
  });

  test.each([
    ['s3a://lake/t/x', 's3://lake/t/x'],
    ['s3n://lake/t//data///x', 's3://lake/t/data/x'],
    ['s3://access-point/t/x', 's3://lake/t/x'],
    ['s3://lake/t/a%20b', 's3://lake/t/a b'],
    ['s3://lake/t/x?version=1', 's3://lake/t/x'],
    ['s3://lake/t/100%', 's3://lake/t/100%'],
  ])('%s may be %s', (one, other) => {
    expect(placeOf(one)).toBe(placeOf(other));
  });

  test.each([
    ['s3://lake/t/x', 's3://lake/t_2/x'],
    ['s3://lake/t/x', 's3://lake/T/x'],
  ])('%s is not %s', (one, other) => {
    expect(placeOf(one)).not.toBe(placeOf(other));
  });

  test('a sample depends on the names alone and is about as large as asked', () => {
    const all = Array.from({ length: 10_000 }, (_, at) => `s3://lake/t/${at}`);
    const sample = all.filter((uri) => isSampled(uri, 0.1));
    expect(sample).toEqual(
      [...all]
        .reverse()
        .filter((uri) => isSampled(uri, 0.1))
        .reverse(),
    );
    expect(sample.length).toBeGreaterThan(800);
    expect(sample.length).toBeLessThan(1_200);
  });
});
