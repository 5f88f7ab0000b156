/** The operations that rewrite no data, beside every engine. */
import { describe, expect, it } from 'vitest';
import * as spark from '../../src/engines/spark/compile.ts';
import { readOutcome } from '../../src/engines/spark/compile.ts';
import { both, show, TABLE } from './compile-show.ts';

const CALL = (procedure: string, rest = '') =>
  `CALL \`lake\`.system.${procedure}(table => '\`bronze\`.\`raw_orders\`'${rest})`;

describe('rewrite_deletes', () => {
  it('runs on Spark only, in one commit', () => {
    expect(both({ kind: 'rewrite_deletes', where: null })).toEqual({
      spark: CALL(
        'rewrite_position_delete_files',
        ", options => map('partial-progress.enabled', 'false')",
      ),
      trino: 'REFUSED Trino has no procedure that rewrites delete files; use Spark',
    });
  });

  it('takes every option that we set', () => {
    const operation = {
      kind: 'rewrite_deletes',
      where: "day = DATE '2026-01-02'",
      minInputFiles: 2,
      targetFileSizeBytes: 67108864,
      rewriteAll: true,
      tuning: { maxFileGroupSizeBytes: 1073741824, concurrentFileGroups: 4 },
    } as const;
    expect(both(operation).spark).toBe(
      CALL(
        'rewrite_position_delete_files',
        ", where => 'day = DATE \\'2026-01-02\\'', options => map('target-file-size-bytes', " +
          "'67108864', 'min-input-files', '2', 'rewrite-all', 'true', " +
          "'max-file-group-size-bytes', '1073741824', " +
          "'max-concurrent-file-group-rewrites', '4', 'partial-progress.enabled', 'false')",
      ),
    );
  });

  it('tells what became of delete files', () => {
    const row = {
      rewritten_delete_files_count: 7,
      added_delete_files_count: 1,
      rewritten_bytes_count: 999n,
      added_bytes_count: 500n,
    };
    expect(readOutcome({ kind: 'rewrite_deletes', where: null }, [row])).toEqual({
      filesRewritten: 7,
      filesAdded: 1,
      bytesRewritten: 999,
      filesRemoved: 0,
    });
  });
});

describe('rewrite_manifests', () => {
  it('takes spec and order on Spark only', () => {
    expect(both({ kind: 'rewrite_manifests', specId: 1, sortBy: ['ts_day', "o'k"] })).toEqual({
      spark: CALL('rewrite_manifests', ", spec_id => 1, sort_by => array('ts_day', 'o\\'k')"),
      trino: 'REFUSED Trino rewrites all manifests, in its own order; use Spark',
    });
  });

  it('refuses an order of nothing', () => {
    const compiled = spark.compileOperation(TABLE, { kind: 'rewrite_manifests', sortBy: [] });
    expect(show(compiled)).toBe('REFUSED manifests are sorted by at least one partition field');
  });
});

describe('expire_snapshots', () => {
  it('also drops schemas and specs that nothing uses, when asked', () => {
    const operation = {
      kind: 'expire_snapshots',
      snapshotIds: ['12'],
      cleanExpiredMetadata: true,
    } as const;
    expect(both(operation).spark).toBe(
      CALL(
        'expire_snapshots',
        ", snapshot_ids => array(12L), older_than => TIMESTAMP '1970-01-01 00:00:00Z', " +
          'clean_expired_metadata => true',
      ),
    );
  });
});

describe('statistics', () => {
  it('are computed of all columns on both', () => {
    expect(both({ kind: 'compute_statistics', columns: [] })).toEqual({
      spark: CALL('compute_table_stats'),
      trino: 'ANALYZE "lake"."bronze"."raw_orders"',
    });
  });

  it('are computed of named columns, and of partitions on Spark', () => {
    const columns = ['Customer_Id', "it's"];
    expect(both({ kind: 'compute_statistics', columns, perPartition: true })).toEqual({
      spark:
        `${CALL('compute_partition_stats')};\n` +
        CALL('compute_table_stats', ", columns => array('Customer_Id', 'it\\'s')"),
      trino: 'REFUSED Trino writes no statistics of partitions; use Spark',
    });
    expect(both({ kind: 'compute_statistics', columns }).trino).toBe(
      'ANALYZE "lake"."bronze"."raw_orders" WITH (columns = ARRAY[\'customer_id\', \'it\'\'s\'])',
    );
  });

  it('are dropped by Trino only', () => {
    expect(both({ kind: 'drop_statistics' })).toEqual({
      spark: 'REFUSED Spark has no statement that drops statistics; use Trino',
      trino: 'ALTER TABLE "lake"."bronze"."raw_orders" EXECUTE drop_extended_stats',
    });
  });
});

describe('set_properties', () => {
  it('sets and removes on Spark only', () => {
    const set = { 'write.parquet.compression-codec': 'zstd', "a'b": 'c\\d' };
    expect(both({ kind: 'set_properties', set, remove: ['old', "o'x"] })).toEqual({
      spark:
        'ALTER TABLE `lake`.`bronze`.`raw_orders` UNSET TBLPROPERTIES IF EXISTS ' +
        "('old', 'o\\'x');\n" +
        'ALTER TABLE `lake`.`bronze`.`raw_orders` SET TBLPROPERTIES ' +
        "('write.parquet.compression-codec' = 'zstd', 'a\\'b' = 'c\\\\d')",
      trino: 'REFUSED Trino removes no table property, and sets few; use Spark',
    });
  });

  it('needs a property', () => {
    expect(both({ kind: 'set_properties', set: {}, remove: [] }).spark).toBe(
      'REFUSED no property is named',
    );
  });
});

it('remove_orphans is no statement: engines only vote on a list', () => {
  const looks = { kind: 'soon', pauseMs: 1 } as const;
  const refused = 'REFUSED orphans are deleted by an exact list: no statement can';
  expect(both({ kind: 'remove_orphans', olderThanMs: 1, maxFiles: 1, looks })).toEqual({
    spark: refused,
    trino: refused,
  });
});
