import { describe, expect, it } from 'vitest';
import { normalizeLocation, sharedLocations } from '../../../src/domain/health/location.ts';
import {
  failedReport,
  reportOf,
  sameReport,
  worstFirst,
} from '../../../src/domain/health/report.ts';
import { health, NOW_MS } from './fixture.ts';

const FAILURE = { code: 'StorageUnavailable', message: 'gone', atMs: NOW_MS } as const;

describe('reports', () => {
  it('of a table that cannot be read keep what was last known', () => {
    const before = reportOf(health());
    const failed = failedReport(before.table, before, FAILURE);
    expect(failed).toMatchObject({
      figures: before.figures,
      score: null,
      failure: { code: 'StorageUnavailable', message: 'gone' },
    });
    expect(failed.findings[0]).toMatchObject({ code: 'unreadable', severity: 'critical' });
    const again = failedReport(before.table, failed, FAILURE);
    expect(again.findings.filter((one) => one.code === 'unreadable')).toHaveLength(1);
    expect(sameReport(failed, { ...again, measuredAtMs: 0 })).toBe(true);
  });

  it('of a table that never was read have no figures', () => {
    expect(failedReport('lake.a.b', null, FAILURE)).toMatchObject({ figures: null, score: null });
  });

  it('are the same when they say the same, in whatever order it was stored', () => {
    const one = reportOf(health());
    const figures = one.figures as NonNullable<typeof one.figures>;
    const turned = Object.fromEntries(Object.entries(figures).reverse()) as typeof figures;
    expect(sameReport(one, { ...one, measuredAtMs: 1, figures: turned })).toBe(true);
    expect(sameReport(one, { ...one, figures: { ...figures, dataFiles: 99 } })).toBe(false);
  });

  it('stand in order: unreadable, then the lowest score, then by name', () => {
    const scored = (table: string, value: number) => ({
      ...reportOf(health({ table })),
      score: { value, parts: [] },
    });
    const list = [
      scored('lake.a.c', 90),
      scored('lake.a.b', 90),
      scored('lake.a.d', 10),
      failedReport('lake.a.e', null, FAILURE),
    ];
    expect(list.sort(worstFirst).map((one) => one.table.slice(-1))).toEqual(['e', 'd', 'b', 'c']);
  });
});

describe('locations', () => {
  const shared = (...locations: readonly (string | null)[]) =>
    [...sharedLocations(locations.map((location, at) => ({ table: `t${at}`, location }))).keys()]
      .sort()
      .join(' ');
  it('that are equal, or lie within each other, are found', () => {
    expect(shared('s3://b/x', 's3://b/x/')).toBe('t0 t1');
    expect(shared('s3://b/x', 's3a://b/x/y')).toBe('t0 t1');
    expect(shared('s3://b/x', 's3://b/x/y/z', 's3://b/x-1', 's3://b/x/y')).toBe('t0 t1 t3');
  });
  it('that only begin alike are not', () => {
    expect(shared('s3://b/t', 's3://b/t_2', 's3://b/t2', null, null)).toBe('');
  });
  it('are spelt in one way', () => {
    expect(normalizeLocation('s3n://b/x//')).toBe('s3://b/x/');
  });
});
