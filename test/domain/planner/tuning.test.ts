import { describe, expect, it } from 'vitest';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import { sessionOf } from '../../../src/domain/ids.ts';
import type { TablePlan } from '../../../src/domain/operation.ts';
import { tasksOf } from '../../../src/domain/planner/makespan.ts';
import { tunePlan } from '../../../src/domain/planner/tuning.ts';
import { health, MB, partition, receipt } from '../health/fixture.ts';
import { BINPACK, table, tune, ZSTD } from './tuning-fixture.ts';

const sizeOf = (found: TableHealth, cores: number) => {
  const bytes = tune(found, cores).tuning?.outputFileSizeBytes;
  return bytes === undefined ? null : Math.round(bytes / MB);
};

describe('tasks of a file group, as Iceberg packs them', () => {
  it.each([
    { why: 'smaller than the target', bytes: 300, tasks: [[1, 300]] },
    {
      why: 'a rest worth a file',
      bytes: 950,
      tasks: [
        [1, 512],
        [1, 438],
      ],
    },
    { why: 'a rest that is spread', bytes: 548, tasks: [[1, 548]] },
    {
      why: 'a rest too large to be spread',
      bytes: 606,
      tasks: [
        [1, 512],
        [1, 94],
      ],
    },
    { why: 'an even number', bytes: 1024, tasks: [[2, 512]] },
    { why: 'nothing at all', bytes: 0, tasks: [[1, 0]] },
  ])('$why', ({ bytes, tasks }) => {
    const found = tasksOf({ files: 9, bytes: bytes * MB, deleteFiles: 0 }, 512 * MB);
    expect(found.map((one) => [one.count, one.bytes / MB])).toEqual(tasks);
  });
});

describe('size of the files written', () => {
  it.each([
    { why: 'two unequal tasks become two equal ones', parts: [[200, 579]], cores: 2, size: 293 },
    {
      why: 'five equal partitions on two cores are cut in two',
      parts: p(5, 40, 115),
      cores: 2,
      size: 64,
    },
    {
      why: 'five equal partitions on five cores are even',
      parts: p(5, 40, 115),
      cores: 5,
      size: null,
    },
    {
      why: 'a table smaller than two files of 64 MB stays one',
      parts: [[200, 90]],
      cores: 8,
      size: null,
    },
    { why: 'a small table', parts: [[10, 1]], cores: 2, size: null },
    { why: 'many partitions are even enough', parts: p(100, 10, 50), cores: 2, size: null },
    { why: 'a large table is even enough', parts: [[9000, 90_000]], cores: 8, size: null },
    {
      why: 'no more files than the policy would join again',
      parts: [[200, 579]],
      cores: 32,
      size: 150,
    },
    { why: 'five files do not become four', parts: [[5, 250]], cores: 4, size: null },
    { why: 'one core has nothing to share', parts: [[200, 579]], cores: 1, size: null },
  ])('$why', ({ parts, cores, size }) => {
    expect(sizeOf(table(parts as (readonly [number, number])[]), cores)).toBe(size);
  });

  it('is never above the target, and a small target stays', () => {
    const small = { targetFileSizeBytes: 32 * MB };
    expect(tune(table([[200, 100]]), 8, { operation: small }).tuning).toBeUndefined();
  });

  it('says what it chose and why, against the target', () => {
    expect(tune(table([[200, 579]]), 2).reasons).toContainEqual({
      metric: 'output_file_size',
      value: expect.any(Number),
      threshold: 512 * MB,
      met: true,
      because:
        'files of about 293.4 MB keep 99 % of the cores busy, ' +
        'those of the target size (512 MB) 57 %',
    });
  });

  it('delete files that each task would read again speak against more tasks', () => {
    const heavy = { ...partition('d', 40, 240 * MB), deleteFiles: 2_000 };
    expect(sizeOf(health({ partitionHealth: [heavy] }), 2)).toBeNull();
    expect(sizeOf(table([[40, 240]]), 2)).not.toBeNull();
  });

  it('counts only what the operation rewrites', () => {
    const key = [{ source: 'ts', sourceType: 'date', transform: 'day', value: 'd1' }];
    const found = table([
      [40, 10_000],
      [200, 579],
      [2, 1],
    ]);
    expect(tune(found, 2, { operation: { partitions: [key] } }).tuning).toMatchObject({
      outputFileSizeBytes: expect.any(Number),
    });
    expect(tune(found, 2, { operation: { where: 'id = 1' } }).tuning).toBeUndefined();
  });
});

describe('file groups', () => {
  it.each([
    { parts: 3, cores: 64, groups: undefined },
    { parts: 100, cores: 2, groups: undefined },
    { parts: 100, cores: 8, groups: 16 },
    { parts: 10, cores: 64, groups: 10 },
    { parts: 2000, cores: 1000, groups: 256 },
  ])('$parts partitions on $cores cores: $groups at once', ({ parts, cores, groups }) => {
    expect(tune(table(p(parts, 10, 1)), cores).tuning?.concurrentFileGroups).toBe(groups);
  });

  it('begin with the largest, where there are several', () => {
    expect(tune(table(p(2, 10, 1)), 2).tuning).toEqual({ largestFirst: true });
    expect(tune(table([[10, 1]]), 2).tuning).toBeUndefined();
  });

  it('and sizes are the engine’s affair where the policy says so', () => {
    const { tuning, reasons } = tune(table(p(5, 40, 115)), 2, { tuning: 'off' });
    expect([tuning, reasons]).toEqual([undefined, []]);
  });

  it('without a figure the engine keeps its defaults', () => {
    const { tuning, reasons } = tune(table(p(5, 40, 115)), null);
    expect(tuning).toBeUndefined();
    expect(reasons).toMatchObject([{ metric: 'engine_cores', value: null }]);
  });
});

describe('compression', () => {
  const large = [[200, 600]] as const;
  const grown = (bytesAfter: number) =>
    receipt('compact', { bytesBefore: 100, bytesAfter, bytesRewritten: 100 });
  const levelOf = (...[found, more]: [TableHealth, Parameters<typeof tune>[2]?]) =>
    tune(found, null, more).tuning?.zstdLevel;

  it('lowers the level of zstd where the table names none', () => {
    expect(levelOf(table(large, ZSTD))).toBe(1);
    expect(levelOf(table([[10, 1]], ZSTD))).toBeUndefined();
  });

  it.each([
    { why: 'another codec', properties: { 'write.parquet.compression-codec': 'snappy' } },
    { why: 'a codec that is not named', properties: {} },
    { why: 'a level', properties: { ...ZSTD, 'write.parquet.compression-level': '9' } },
    { why: 'another format', properties: { ...ZSTD, 'write.format.default': 'orc' } },
  ])('leaves alone what the table asks for: $why', ({ properties }) => {
    expect(levelOf(table(large, properties))).toBeUndefined();
  });

  it('leaves it alone where the policy says so, or files grew by it', () => {
    expect(levelOf(table(large, ZSTD), { compression: 'keep' })).toBeUndefined();
    expect(levelOf(table(large, ZSTD), { receipts: [grown(102)] })).toBe(1);
    expect(levelOf(table(large, ZSTD), { receipts: [grown(99), grown(104)] })).toBeUndefined();
  });
});

describe('the session of an operation', () => {
  it.each([
    [{ kind: 'expire_snapshots' }, 'maintenance'],
    [{ kind: 'rewrite_manifests' }, 'maintenance/keep'],
    [{ kind: 'compact', tuning: { largestFirst: true } }, 'maintenance/keep'],
    [{ kind: 'compact', tuning: { zstdLevel: 1 } }, 'maintenance/keep/zstd-1'],
  ] as const)('%j: %s', (operation, session) => {
    expect(sessionOf(operation)).toBe(session);
  });
});

describe('a plan', () => {
  const DECISION = {
    kind: 'compact',
    engine: 'spark',
    operation: BINPACK,
    reasons: [],
    estimate: { filesBefore: 200, filesAfter: 5, bytesRewritten: 600 },
  };
  const plan = (change: object): TablePlan =>
    ({
      table: 'lake.a.b',
      tableUuid: 'u',
      snapshotId: '1',
      decisions: [{ ...DECISION, ...change }],
    }) as unknown as TablePlan;
  const input = {
    health: table(p(5, 40, 115), ZSTD),
    cores: { spark: 2 },
    recentReceipts: [],
    policy: { minInputFiles: 5, tuning: 'auto', compression: 'auto' } as const,
  };

  it('is tuned for Spark', () => {
    const tuned = tunePlan(plan({}), input).decisions[0];
    expect(tuned?.operation).toMatchObject({
      tuning: { outputFileSizeBytes: 64 * MB, largestFirst: true, zstdLevel: 1 },
    });
    // Ten files instead of the five of the target size.
    expect(tuned?.estimate).toEqual({ filesBefore: 200, filesAfter: 10, bytesRewritten: 600 });
    expect(tuned?.reasons.map(({ metric }) => metric)).toEqual([
      'engine_cores',
      'output_file_size',
      'zstd_level',
    ]);
  });

  it('what somebody asked for by hand stands', () => {
    const asked = { ...BINPACK, tuning: { outputFileSizeBytes: 100 * MB, zstdLevel: 9 } };
    expect(tunePlan(plan({ operation: asked }), input).decisions[0]?.operation).toMatchObject({
      tuning: { outputFileSizeBytes: 100 * MB, zstdLevel: 9, largestFirst: true },
    });
  });

  it.each([{ engine: 'trino' }, { operation: null }, { operation: { kind: 'rewrite_manifests' } }])(
    'leaves %j alone',
    (change) => {
      expect(tunePlan(plan(change), input)).toEqual(plan(change));
    },
  );
});

function p(count: number, files: number, size: number): (readonly [number, number])[] {
  return Array.from({ length: count }, () => [files, size] as const);
}
