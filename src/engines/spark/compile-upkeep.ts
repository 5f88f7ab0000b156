/** Operations that rewrite no data: deletes, manifests, snapshots, statistics, properties. */
import type { Compiled } from '../../domain/engine.ts';
import type {
  ComputeStatisticsOperation,
  ExpireSnapshotsOperation,
  RewriteDeletesOperation,
  RewriteManifestsOperation,
  SetPropertiesOperation,
} from '../../domain/operation.ts';
import type { TableRef } from '../../domain/table.ts';
import { callProcedure, optionsArgument, textArray, whereArgument } from './call.ts';
import { quoteTable, quoteText } from './quote.ts';

export function compileDeletes(table: TableRef, operation: RewriteDeletesOperation): Compiled {
  const { tuning } = operation;
  const options = optionsArgument({
    'target-file-size-bytes': operation.targetFileSizeBytes,
    'min-input-files': operation.minInputFiles,
    'rewrite-all': operation.rewriteAll,
    'max-file-group-size-bytes': tuning?.maxFileGroupSizeBytes,
    'max-concurrent-file-group-rewrites': tuning?.concurrentFileGroups,
    // One commit or none, as with a compaction.
    'partial-progress.enabled': false,
  });
  const where = whereArgument(operation.where);
  return [callProcedure(table, 'rewrite_position_delete_files', [...where, ...options])];
}

export function compileManifests(table: TableRef, operation: RewriteManifestsOperation): Compiled {
  const { specId, sortBy } = operation;
  if (sortBy !== undefined && sortBy.length === 0) {
    return { refused: 'manifests are sorted by at least one partition field' };
  }
  return [
    callProcedure(table, 'rewrite_manifests', [
      ...(specId === undefined ? [] : [`spec_id => ${specId}`]),
      ...(sortBy === undefined ? [] : [`sort_by => ${textArray(sortBy)}`]),
    ]),
  ];
}

/** Largest snapshot id: they are signed 64-bit numbers, of which Iceberg uses the positive ones. */
const MAX_SNAPSHOT_ID = 2n ** 63n - 1n;

/**
 * Without `older_than` the procedure also expires by the table's own age limit
 * (`history.expire.max-snapshot-age-ms`, five days by default), whatever ids are named. No snapshot
 * is older than 1970, so with that instant the named ones go and no other.
 */
export function compileExpiry(table: TableRef, operation: ExpireSnapshotsOperation): Compiled {
  const { snapshotIds, cleanExpiredMetadata } = operation;
  if (snapshotIds.length === 0) return { refused: 'expiry needs at least one snapshot id' };
  const bad = snapshotIds.find((id) => !/^\d{1,19}$/.test(id) || BigInt(id) > MAX_SNAPSHOT_ID);
  if (bad !== undefined) return { refused: `${JSON.stringify(bad)} is not a snapshot id` };
  return [
    callProcedure(table, 'expire_snapshots', [
      `snapshot_ids => array(${snapshotIds.map((id) => `${id}L`).join(', ')})`,
      "older_than => TIMESTAMP '1970-01-01 00:00:00Z'",
      ...(cleanExpiredMetadata === true ? ['clean_expired_metadata => true'] : []),
    ]),
  ];
}

/** The columns' sketches, and figures of each partition: two files, two commits, no snapshot. */
export function compileStatistics(
  table: TableRef,
  { columns, perPartition }: ComputeStatisticsOperation,
): Compiled {
  const named = columns.length === 0 ? [] : [`columns => ${textArray(columns)}`];
  const sketches = callProcedure(table, 'compute_table_stats', named);
  if (perPartition !== true) return [sketches];
  return [callProcedure(table, 'compute_partition_stats'), sketches];
}

/** Two statements where both are asked for; either may be done again and then changes nothing. */
export function compileProperties(
  table: TableRef,
  { set, remove }: SetPropertiesOperation,
): Compiled {
  const name = quoteTable(table);
  const pairs = Object.entries(set).map(
    ([key, value]) => `${quoteText(key)} = ${quoteText(value)}`,
  );
  const statements = [
    ...(remove.length === 0
      ? []
      : [
          `ALTER TABLE ${name} UNSET TBLPROPERTIES IF EXISTS (${remove.map(quoteText).join(', ')})`,
        ]),
    ...(pairs.length === 0 ? [] : [`ALTER TABLE ${name} SET TBLPROPERTIES (${pairs.join(', ')})`]),
  ];
  if (statements.length === 0) return { refused: 'no property is named' };
  return statements.map((sql) => ({ engine: 'spark', sql }));
}
