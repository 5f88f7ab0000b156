import { describe, expect, it } from 'vitest';
import type { DeleteCounts, TableFigures } from '../../../src/domain/health/health.ts';
import {
  cutoffsAt,
  DEFAULT_RETENTION,
  parseRetention,
  resample,
  smallBytesOf,
} from '../../../src/domain/health/history.ts';
import { figuresOf } from '../../../src/domain/health/score.ts';
import { health } from './fixture.ts';

describe('retention', () => {
  it('cuts at whole hours and days', () => {
    const cutoffs = cutoffsAt(Date.parse('2026-11-21T13:47:11Z'), DEFAULT_RETENTION);
    const text = (atMs: number) => new Date(atMs).toISOString().slice(0, 16);
    expect(text(cutoffs.rawBeforeMs)).toBe('2026-11-19T13:00');
    expect(text(cutoffs.hourlyBeforeMs)).toBe('2026-10-22T00:00');
    expect(text(cutoffs.dailyBeforeMs)).toBe('2024-11-21T00:00');
  });
  it('reads three durations', () => {
    expect(parseRetention('2d,30d,730d')).toEqual(DEFAULT_RETENTION);
  });
  it.each(['2d', '2d,30d', '30d,2d,730d', '2d,30d,730d,1d', 'a,b,c', ''])(
    '"%s" is refused',
    (text) => expect(() => parseRetention(text)).toThrow(/expected three|not a duration/),
  );
});

describe('resampling', () => {
  const span = { fromMs: 0, toMs: 100, columns: 5 };
  it('carries the last value on until the next point', () => {
    const points = [
      { atMs: 30, value: 7 },
      { atMs: 61, value: 9 },
      { atMs: 79, value: 2 },
    ];
    expect(resample(points, span)).toEqual([null, 7, 7, 2, 2]);
  });
  it('a point before the span fills it', () => {
    expect(resample([{ atMs: -5, value: 4 }], span)).toEqual([4, 4, 4, 4, 4]);
  });
  it('no point: nothing', () => {
    expect(resample([], span)).toEqual([null, null, null, null, null]);
  });
});

describe('bytes of small files', () => {
  const figures = (smallFiles: number | null) =>
    ({
      ...figuresOf(health()),
      smallFiles,
      detail: {
        sizes: [
          { belowBytes: 10, files: 4, bytes: 20 },
          { belowBytes: 100, files: 10, bytes: 500 },
          { belowBytes: null, files: 2, bytes: 9_000 },
        ],
        deletes: {} as DeleteCounts,
        partitionSkew: 1,
        backlogFiles: 0,
        clustering: [],
      },
    }) satisfies TableFigures;
  it.each([
    [0, 0],
    [2, 10],
    [4, 20],
    [6, 120],
    [14, 520],
    [99, 9_520],
  ])('%d small files: %d bytes', (files, bytes) => {
    expect(smallBytesOf(figures(files))).toBe(bytes);
  });
  it('are not known where files were not read', () => {
    expect(smallBytesOf(figures(null))).toBeNull();
  });
});
