import { describe, expect, it } from 'vitest';
import type { CompactOperation, Operation } from '../../src/domain/operation.ts';
import { compileOperation, readOutcome } from '../../src/engines/trino/compile.ts';

const TABLE = { catalog: 'lake', namespace: 'bronze', name: 'raw_orders' };
const BINPACK: CompactOperation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 512 * 2 ** 20,
  minInputFiles: 5,
  rewriteAll: false,
};

function sqlOf(operation: Operation, table = TABLE): readonly string[] | string {
  const compiled = compileOperation(table, operation);
  return 'refused' in compiled ? compiled.refused : compiled.map((statement) => statement.sql);
}

describe('compileOperation for Trino', () => {
  it('compacts files under 75 % of the target', () => {
    expect(compileOperation(TABLE, BINPACK)).toEqual([
      {
        engine: 'trino',
        sql: `ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE optimize(file_size_threshold => '402653184B')`,
        settings: { 'lake.target_max_file_size': '536870912B' },
      },
    ]);
  });

  it('takes the predicate as it is given', () => {
    const where = `day >= DATE '2024-01-01'`;
    expect(sqlOf({ ...BINPACK, where })).toEqual([
      `ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE optimize(file_size_threshold => '402653184B') WHERE day >= DATE '2024-01-01'`,
    ]);
  });

  it('takes every file when all are to be rewritten', () => {
    expect(sqlOf({ ...BINPACK, rewriteAll: true })).toEqual([
      `ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE optimize(file_size_threshold => '1PB')`,
    ]);
  });

  it('quotes whatever a name holds', () => {
    const table = { catalog: 'la-ke', namespace: 'a.b', name: 'x"y' };
    expect(sqlOf({ kind: 'rewrite_manifests' }, table)).toEqual([
      'ALTER TABLE "la-ke"."a.b"."x""y" EXECUTE optimize_manifests',
    ]);
  });

  it.each(['sort', 'zorder'] as const)('refuses %s', (strategy) => {
    expect(sqlOf({ ...BINPACK, strategy, columns: ['a'] })).toBe(
      `Trino has no ${strategy} compaction, only bin-pack; use Spark`,
    );
  });

  it('refuses expiry by id', () => {
    expect(sqlOf({ kind: 'expire_snapshots', snapshotIds: ['1'] })).toBe(
      'Trino expires snapshots by age only, never by id: it might drop others than planned; use Spark',
    );
  });
});

describe('readOutcome for Trino', () => {
  it('says null when Trino told nothing', () => {
    expect(readOutcome(BINPACK, [])).toBeNull();
  });

  it('reads the metrics of later versions', () => {
    const rows = [
      { metric_name: 'rewritten_data_files_count', metric_value: 6n },
      { metric_name: 'added_data_files_count', metric_value: 1n },
    ];
    expect(readOutcome(BINPACK, rows)).toEqual({ filesRewritten: 6, filesAdded: 1 });
  });
});
