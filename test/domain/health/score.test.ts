import { describe, expect, it } from 'vitest';
import type { FileDetail, TableHealth } from '../../../src/domain/health/health.ts';
import { assess, figuresOf } from '../../../src/domain/health/score.ts';
import { DAY_MS, health, line, MB, NOW_MS } from './fixture.ts';

function detail(change: Partial<FileDetail> = {}): FileDetail {
  return {
    sizes: [],
    deletes: {
      positionFiles: 0,
      positionRecords: 0,
      equalityFiles: 0,
      equalityRecords: 0,
      vectors: 0,
      vectorRecords: 0,
    },
    partitionSkew: 1,
    backlogFiles: 0,
    clustering: [],
    ...change,
  };
}

const codes = (change: Partial<TableHealth>) =>
  assess(health(change)).findings.map((one) => one.code);

describe('figures', () => {
  it('hold times, not ages, so that they stay true', () => {
    const now = figuresOf(health());
    expect(now).toMatchObject({
      snapshots: 3,
      oldestSnapshotAtMs: NOW_MS - 3 * DAY_MS,
      lastCommitAtMs: NOW_MS - DAY_MS,
    });
    const later = health({ measuredAtMs: NOW_MS + DAY_MS, lastCommitAgeMs: 2 * DAY_MS });
    expect(figuresOf({ ...later, commitsPerDay: 0 })).toEqual(now);
  });

  it('count the commits of the week before the last one', () => {
    const snapshots = line([40, 20, 15, 14]);
    expect(figuresOf(health({ snapshots })).commitsPerDay).toBe(3 / 7);
  });

  it('of a table without a snapshot have no times', () => {
    expect(figuresOf(health({ snapshots: [], snapshotId: null }))).toMatchObject({
      oldestSnapshotAtMs: null,
      lastCommitAtMs: null,
      commitsPerDay: 0,
    });
  });
});

describe('a healthy table', () => {
  it('has no finding and loses nothing', () => {
    const { findings, score } = assess(health({ detail: detail(), metadataBytes: 9_000 }));
    expect(findings).toEqual([]);
    expect(score).toEqual({ value: 100, parts: [] });
  });

  it('is also one whose manifests were not read', () => {
    expect(assess(health({ smallFiles: null, manifests: null })).score.value).toBe(100);
  });
});

describe('findings', () => {
  const manySmall = { dataFiles: 1_000, smallFiles: 1_000, detail: detail({ backlogFiles: 900 }) };

  it.each<[string, Partial<TableHealth>]>([
    ['small_files', manySmall],
    ['many_deletes', { dataFiles: 20, deleteFiles: 5, deleteRatio: 0.25 }],
    ['many_snapshots', { snapshots: line(Array(1_001).fill(1)) }],
    ['metadata_large', { metadataBytes: 20 * MB }],
    ['metadata_grows', { metadataLogEntries: 100 }],
    ['many_manifests', { manifests: 600, dataFiles: 700 }],
    ['partition_skew', { detail: detail({ partitionSkew: 12 }) }],
  ])('%s', (code, change) => {
    expect(codes(change)).toEqual([code]);
  });

  it.each<[string, Partial<TableHealth>]>([
    ['few files too many', { dataFiles: 90, detail: detail({ backlogFiles: 89 }) }],
    ['some files too many of very many', { ...manySmall, dataFiles: 9_000 }],
    ['a single delete file', { dataFiles: 1, deleteFiles: 1, deleteRatio: 1 }],
    [
      'a log that is cleaned',
      {
        metadataLogEntries: 100,
        properties: { 'write.metadata.delete-after-commit.enabled': 'true' },
      },
    ],
    ['manifests that are full', { manifests: 600, dataFiles: 100_000 }],
  ])('not for %s', (_title, change) => {
    expect(codes(change)).toEqual([]);
  });

  it('put the gravest first and say what to do', () => {
    const { findings } = assess(
      health({ ...manySmall, metadataLogEntries: 100, smallFiles: 100_001 }),
    );
    expect(findings.map((one) => one.severity)).toEqual(['critical', 'warning']);
    expect(findings[0]?.message).toBe(
      '1000 data files where 100 of 512 MB would do: compact the table',
    );
  });

  it('name equality deletes', () => {
    const counts = { ...detail().deletes, equalityFiles: 3 };
    const { findings } = assess(
      health({
        dataFiles: 20,
        deleteFiles: 5,
        deleteRatio: 0.25,
        detail: detail({ deletes: counts }),
      }),
    );
    expect(findings[0]?.message).toContain('3 of them equality deletes');
  });
});

describe('totals that drifted', () => {
  const snapshots = [
    { ...line([1])[0], summary: { 'total-data-files': '7', 'total-records': '1000' } },
  ] as TableHealth['snapshots'];

  it('are found where the manifests were read', () => {
    const { findings } = assess(health({ snapshots, detail: detail() }));
    expect(findings.map((one) => one.code)).toEqual(['totals_drifted']);
    expect(findings[0]?.message).toContain('total-data-files 7, counted 2');
    expect(findings[0]?.message).not.toContain('total-records');
  });

  it('are not looked for where they were not', () => {
    expect(assess(health({ snapshots })).findings).toEqual([]);
  });

  it('that a writer leaves out are none', () => {
    expect(codes({ detail: detail() })).toEqual([]);
  });
});

describe('the score', () => {
  it('says what each part took off', () => {
    const { score } = assess(
      health({ dataFiles: 2_000, detail: detail({ backlogFiles: 1_000 }), manifests: 1_000 }),
    );
    expect(score).toEqual({
      value: 72.5,
      parts: [
        {
          name: 'files',
          penalty: 17.5,
          because: '1000 of 2000 data files are more than the target size needs',
        },
        { name: 'manifests', penalty: 10, because: '1000 manifests are read to plan a query' },
      ],
    });
  });

  it('hardly blames a table of two files', () => {
    const { score } = assess(health({ dataFiles: 2, detail: detail({ backlogFiles: 1 }) }));
    expect(score.value).toBe(100);
  });

  it('of the worst table is 0', () => {
    const { score } = assess(
      health({
        dataFiles: 100_000,
        deleteFiles: 100_000,
        deleteRatio: 1,
        manifests: 5_000,
        metadataBytes: 100 * MB,
        clusteringDepth: 500,
        snapshots: line(Array(3_000).fill(1)),
        detail: detail({ backlogFiles: 99_999, partitionSkew: 100 }),
      }),
    );
    expect(score.value).toBe(0);
    expect(score.parts.reduce((sum, one) => sum + one.penalty, 0)).toBe(100);
  });

  it('falls as files pile up', () => {
    const at = (backlogFiles: number) =>
      assess(health({ dataFiles: backlogFiles + 1, detail: detail({ backlogFiles }) })).score.value;
    const values = [0, 10, 100, 1_000, 10_000].map(at);
    expect(values).toEqual([...values].sort((left, right) => right - left));
    expect(values.at(-1)).toBeLessThan(70);
  });
});
