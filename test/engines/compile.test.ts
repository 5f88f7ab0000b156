/** Every operation beside every engine: what each one is told, or why it is not asked. */
import { describe, expect, it } from 'vitest';
import type { CompactOperation } from '../../src/domain/operation.ts';
import type { TableRef } from '../../src/domain/table.ts';
import * as spark from '../../src/engines/spark/compile.ts';
import { both, show, TABLE } from './compile-show.ts';

const COMPACT: CompactOperation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 134217728,
  minInputFiles: 5,
  rewriteAll: false,
};

describe('compact', () => {
  it('bin-packs on both', () => {
    expect(both(COMPACT)).toEqual({
      spark:
        "CALL `lake`.system.rewrite_data_files(table => '`bronze`.`raw_orders`', " +
        "strategy => 'binpack', options => map('target-file-size-bytes', '134217728', " +
        "'min-input-files', '5', 'rewrite-all', 'false', 'partial-progress.enabled', 'false'))",
      trino:
        'ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE ' +
        "optimize(file_size_threshold => '100663296B')\n" +
        '{"lake.target_max_file_size":"134217728B"}',
    });
  });

  it('bin-packs everything within a predicate', () => {
    const where = "day = DATE '2026-01-02' AND note = 'it''s'";
    expect(both({ ...COMPACT, where, rewriteAll: true })).toEqual({
      spark:
        "CALL `lake`.system.rewrite_data_files(table => '`bronze`.`raw_orders`', " +
        "strategy => 'binpack', where => 'day = DATE \\'2026-01-02\\' AND note = \\'it\\'\\'s\\'', " +
        "options => map('target-file-size-bytes', '134217728', 'min-input-files', '5', " +
        "'rewrite-all', 'true', 'partial-progress.enabled', 'false'))",
      trino:
        'ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE ' +
        "optimize(file_size_threshold => '1PB') " +
        "WHERE day = DATE '2026-01-02' AND note = 'it''s'\n" +
        '{"lake.target_max_file_size":"134217728B"}',
    });
  });

  it('sorts on Spark only', () => {
    const sort = {
      ...COMPACT,
      strategy: 'sort',
      columns: ['customer_id', 'address.city'],
    } as const;
    expect(both({ ...sort, rewriteAll: true })).toEqual({
      spark:
        "CALL `lake`.system.rewrite_data_files(table => '`bronze`.`raw_orders`', " +
        "strategy => 'sort', sort_order => '`customer_id`, `address`.`city`', " +
        "options => map('target-file-size-bytes', '134217728', 'min-input-files', '5', " +
        "'rewrite-all', 'true', 'partial-progress.enabled', 'false'))",
      trino: 'REFUSED Trino has no sort compaction, only bin-pack; use Spark',
    });
  });

  it('orders by Z-curve on Spark only', () => {
    const zorder = { ...COMPACT, strategy: 'zorder', columns: ['customer_id', 'ts'] } as const;
    expect(both({ ...zorder, where: 'day > 3', rewriteAll: true })).toEqual({
      spark:
        "CALL `lake`.system.rewrite_data_files(table => '`bronze`.`raw_orders`', " +
        "strategy => 'sort', sort_order => 'zorder(`customer_id`, `ts`)', where => 'day > 3', " +
        "options => map('target-file-size-bytes', '134217728', 'min-input-files', '5', " +
        "'rewrite-all', 'true', 'partial-progress.enabled', 'false'))",
      trino: 'REFUSED Trino has no zorder compaction, only bin-pack; use Spark',
    });
  });

  it('goes about it as it was tuned', () => {
    const tuning = {
      outputFileSizeBytes: 67108864,
      concurrentFileGroups: 16,
      largestFirst: true,
      zstdLevel: 1,
    };
    expect(both({ ...COMPACT, tuning })).toEqual({
      spark:
        "CALL `lake`.system.rewrite_data_files(table => '`bronze`.`raw_orders`', " +
        "strategy => 'binpack', options => map('target-file-size-bytes', '67108864', " +
        "'max-file-size-bytes', '241591910', 'max-concurrent-file-group-rewrites', '16', " +
        "'rewrite-job-order', 'bytes-desc', 'min-input-files', '5', 'rewrite-all', 'false', " +
        "'partial-progress.enabled', 'false'))\n" +
        '{"spark.sql.iceberg.compression-level":"1"}',
      trino:
        'ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE ' +
        "optimize(file_size_threshold => '100663296B')\n" +
        '{"lake.target_max_file_size":"134217728B"}',
    });
  });

  it('refuses an order without columns', () => {
    expect(both({ ...COMPACT, strategy: 'zorder' })).toEqual({
      spark: 'REFUSED compaction by zorder needs at least one column',
      trino: 'REFUSED Trino has no zorder compaction, only bin-pack; use Spark',
    });
  });
});

describe('expire_snapshots', () => {
  it('names exact ids on Spark, with an age that no snapshot has', () => {
    const ids = ['8006932650739814038', '6070396654202308325'];
    expect(both({ kind: 'expire_snapshots', snapshotIds: ids })).toEqual({
      spark:
        "CALL `lake`.system.expire_snapshots(table => '`bronze`.`raw_orders`', " +
        'snapshot_ids => array(8006932650739814038L, 6070396654202308325L), ' +
        "older_than => TIMESTAMP '1970-01-01 00:00:00Z')",
      trino:
        'REFUSED Trino expires snapshots by age only, never by id: it might drop others than ' +
        'planned; use Spark',
    });
  });

  it.each(['', '-1', '1) --', '1L', '9223372036854775808', '1 OR 1=1'])('refuses %j', (id) => {
    const compiled = spark.compileOperation(TABLE, { kind: 'expire_snapshots', snapshotIds: [id] });
    expect(compiled).toEqual({ refused: `${JSON.stringify(id)} is not a snapshot id` });
  });

  it('refuses to expire nothing: the procedure would fall back to ages', () => {
    const compiled = spark.compileOperation(TABLE, { kind: 'expire_snapshots', snapshotIds: [] });
    expect(compiled).toEqual({ refused: 'expiry needs at least one snapshot id' });
  });
});

describe('rewrite_manifests', () => {
  it('runs on both', () => {
    expect(both({ kind: 'rewrite_manifests' })).toEqual({
      spark: "CALL `lake`.system.rewrite_manifests(table => '`bronze`.`raw_orders`')",
      trino: 'ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE optimize_manifests',
    });
  });
});

describe('names and texts from outside', () => {
  it('stay names, whatever they hold', () => {
    const evil: TableRef = { catalog: 'la`ke"', namespace: "a'b.c", name: "t') --" };
    expect(both({ kind: 'rewrite_manifests' }, evil)).toEqual({
      spark: "CALL `la``ke\"`.system.rewrite_manifests(table => '`a\\'b`.`c`.`t\\') --`')",
      trino: 'ALTER TABLE "la`ke"""."a\'b.c"."t\') --" EXECUTE optimize_manifests',
    });
  });

  it('cannot leave the sort order', () => {
    const columns = ['a`), zorder(b', "c', options => map('x"];
    const compiled = show(spark.compileOperation(TABLE, { ...COMPACT, strategy: 'sort', columns }));
    expect(compiled).toContain(
      "sort_order => '`a``), zorder(b`, `c\\', options => map(\\'x`', options => map('target",
    );
  });

  it('cannot leave the predicate', () => {
    const where = "1=1\\', options => map('rewrite-all', 'true'), x => '";
    const compiled = show(spark.compileOperation(TABLE, { ...COMPACT, where }));
    expect(compiled).toContain(
      "where => '1=1\\\\\\', options => map(\\'rewrite-all\\', \\'true\\'), x => \\'', options",
    );
  });
});

describe('what Spark says it did', () => {
  it('is read from the row of each procedure', () => {
    const compacted = {
      rewritten_data_files_count: 60,
      added_data_files_count: 5,
      rewritten_bytes_count: 2588n,
      failed_data_files_count: 0,
      removed_delete_files_count: 3,
    };
    const expired = {
      deleted_data_files_count: 4n,
      deleted_manifest_files_count: 2n,
      deleted_manifest_lists_count: 1n,
    };
    const manifests = { rewritten_manifests_count: 7, added_manifests_count: 1 };
    expect(spark.readOutcome(COMPACT, [compacted])).toEqual({
      filesRewritten: 60,
      filesAdded: 5,
      bytesRewritten: 2588,
      filesRemoved: 3,
    });
    expect(spark.readOutcome({ kind: 'expire_snapshots', snapshotIds: ['1'] }, [expired])).toEqual({
      filesRewritten: 0,
      filesAdded: 0,
      bytesRewritten: 0,
      filesRemoved: 7,
    });
    expect(spark.readOutcome({ kind: 'rewrite_manifests' }, [manifests])).toEqual({
      filesRewritten: 7,
      filesAdded: 1,
      bytesRewritten: 0,
      filesRemoved: 0,
    });
    expect(spark.readOutcome({ kind: 'rewrite_manifests' }, [])).toMatchObject({ filesAdded: 0 });
  });
});
