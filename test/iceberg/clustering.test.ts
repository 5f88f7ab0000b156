import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusteringOf, sumOfDepths } from '../../src/iceberg/clustering.ts';
import { PREFIX_BYTES } from '../../src/iceberg/manifest-digest.ts';

type Range = readonly [number, number];

function depth(ranges: readonly Range[], kind: 'whole' | 'fraction' = 'whole'): number {
  const lower = Float64Array.from(ranges, ([from]) => from);
  const upper = Float64Array.from(ranges, ([, to]) => to);
  return sumOfDepths(lower, upper, kind) / ranges.length;
}

/** Value by value, as the definition says it. */
function countedDepth(ranges: readonly Range[]): number {
  const means = ranges.map(([from, to]) => {
    let sum = 0;
    for (let value = from; value <= to; value += 1) {
      sum += ranges.filter(([least, most]) => least <= value && value <= most).length;
    }
    return sum / (to - from + 1);
  });
  return means.reduce((sum, one) => sum + one, 0) / ranges.length;
}

describe('how deep ranges overlap', () => {
  it.each<[string, readonly Range[], number]>([
    ['one file', [[3, 9]], 1],
    [
      'sorted files',
      [
        [0, 9],
        [10, 19],
        [20, 29],
      ],
      1,
    ],
    [
      'files of a single value each',
      [
        [1, 1],
        [2, 2],
      ],
      1,
    ],
    [
      'files of the same single value',
      [
        [5, 5],
        [5, 5],
        [5, 5],
      ],
      3,
    ],
    ['files that all hold everything', Array<Range>(50).fill([0, 1_000_000]), 50],
    [
      'half of each in the next',
      [
        [0, 9],
        [5, 14],
      ],
      1.5,
    ],
  ])('%s', (_title, ranges, expected) => {
    expect(depth(ranges)).toBe(expected);
  });

  it('is that of the definition, value by value', () => {
    const range = fc
      .tuple(fc.integer({ min: -40, max: 40 }), fc.nat(30))
      .map(([from, length]): Range => [from, from + length]);
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 12 }), (ranges) => {
        expect(depth(ranges)).toBeCloseTo(countedDepth(ranges), 9);
      }),
    );
  });

  it('does not lose small files beside one of a huge range', () => {
    const year = 365 * 86_400e6;
    const day = 86_400e6;
    const days = Array.from({ length: 300 }, (_, at): Range => [at * day, (at + 1) * day - 1]);
    expect(depth(days)).toBeCloseTo(1, 3);
    expect(depth([...days, [0, 8_000 * year]])).toBeCloseTo((300 * 2 + 1) / 301, 2);
  });

  it('knows fractions', () => {
    expect(
      depth(
        [
          [0, 0.5],
          [0.5, 1],
        ],
        'fraction',
      ),
    ).toBeCloseTo(1, 9);
    expect(
      depth(
        [
          [0.25, 0.25],
          [0, 1],
        ],
        'fraction',
      ),
    ).toBeCloseTo(1.5, 6);
  });
});

describe('the clustering of a table', () => {
  const column = { fieldId: 1, name: 'id', type: 'long' };

  it('looks at each partition by itself, and passes over files without bounds', () => {
    const lower = [Float64Array.of(0, 0, Number.NaN), Float64Array.of(50)];
    const upper = [Float64Array.of(99, 99, Number.NaN), Float64Array.of(99)];
    const together = clusteringOf({ column, lower, upper }, Uint32Array.of(0, 0, 0, 0));
    const apart = clusteringOf({ column, lower, upper }, Uint32Array.of(0, 1, 0, 2));
    expect(together).toEqual({ column: 'id', depth: (2.5 + 2.5 + 3) / 3 });
    expect(apart).toEqual({ column: 'id', depth: 1 });
  });

  it('tells texts apart behind what they all begin with', () => {
    const texts = (...values: string[]) => {
      const bytes = new Uint8Array(values.length * PREFIX_BYTES);
      for (const [at, value] of values.entries()) bytes.set(Buffer.from(value), at * PREFIX_BYTES);
      return bytes;
    };
    const lower = [texts('customer-a', 'customer-m', '')];
    const upper = [texts('customer-l', 'customer-z', '')];
    const one = { column: { ...column, type: 'string' }, lower, upper };
    const found = clusteringOf(one, new Uint32Array(3));
    expect(found?.depth).toBeCloseTo(1, 6);
    const all = { ...one, lower: [texts('customer-a', 'customer-a')], upper: [texts('c', 'c')] };
    expect(clusteringOf({ ...all, upper: all.lower }, new Uint32Array(2))?.depth).toBe(2);
  });

  it('is not known without bounds, nor of a type that has none', () => {
    const none = [Float64Array.of(Number.NaN)];
    const places = Uint32Array.of(0);
    expect(clusteringOf({ column, lower: none, upper: none }, places)).toBeNull();
    const list = { ...column, type: 'list<long>' };
    expect(clusteringOf({ column: list, lower: none, upper: none }, places)).toBeNull();
  });
});

describe('texts', () => {
  const texts = (...values: readonly string[]) => {
    const bytes = new Uint8Array(values.length * PREFIX_BYTES);
    for (const [at, value] of values.entries()) bytes.set(Buffer.from(value), at * PREFIX_BYTES);
    return bytes;
  };

  it('an empty text is a bound: the widest files are not left out', () => {
    const column = { fieldId: 1, name: 'who', type: 'string' };
    const lower = [texts('', 'b', '')];
    const upper = [texts('z', 'c', '')];
    // The third file has no bounds at all.
    const found = clusteringOf({ column, lower, upper }, new Uint32Array(3));
    expect(found?.depth).toBeGreaterThan(1.4);
  });
});
