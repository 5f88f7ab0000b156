import type { Compiled, EngineRow } from '../../domain/engine.ts';
import { assertNever } from '../../domain/errors.ts';
import type { CompactOperation, Operation } from '../../domain/operation.ts';
import type { TableRef } from '../../domain/table.ts';
import { callProcedure, optionsArgument, whereArgument } from './call.ts';
import {
  compileDeletes,
  compileExpiry,
  compileManifests,
  compileProperties,
  compileStatistics,
} from './compile-upkeep.ts';
import { partitionsPredicate } from './partitions.ts';
import { quotePath, quoteText } from './quote.ts';
import { tuningOptions, tuningSettings } from './tuning.ts';

/**
 * Turns an operation into calls of Iceberg's procedures. Pure. Whether the engine may run it on a
 * given table is for the capability matrix: this knows what the language can say.
 */
export function compileOperation(table: TableRef, operation: Operation): Compiled {
  switch (operation.kind) {
    case 'compact':
      return compileCompact(table, operation);
    case 'expire_snapshots':
      return compileExpiry(table, operation);
    case 'rewrite_manifests':
      return compileManifests(table, operation);
    case 'rewrite_deletes':
      return compileDeletes(table, operation);
    case 'compute_statistics':
      return compileStatistics(table, operation);
    case 'set_properties':
      return compileProperties(table, operation);
    case 'drop_statistics':
      return { refused: 'Spark has no statement that drops statistics; use Trino' };
    case 'remove_orphans':
      return { refused: 'orphans are deleted by an exact list: no statement can' };
    default:
      return assertNever(operation);
  }
}

function compileCompact(table: TableRef, operation: CompactOperation): Compiled {
  const { strategy, columns, deletes } = operation;
  if (strategy !== 'binpack' && columns.length === 0) {
    return { refused: `compaction by ${strategy} needs at least one column` };
  }
  const where = selectionOf(table, operation);
  if ('refused' in where) return where;
  const order = columns.map(quotePath).join(', ');
  const options = {
    ...tuningOptions(operation),
    'min-input-files': String(operation.minInputFiles),
    'rewrite-all': String(operation.rewriteAll),
    // One commit or none: what a receipt says of one replace snapshot then holds.
    'partial-progress.enabled': 'false',
    'delete-file-threshold': deletes?.minDeleteFiles,
    'delete-ratio-threshold': deletes?.minDeleteRatio,
    'remove-dangling-deletes': deletes?.removeDangling,
  };
  const statement = callProcedure(table, 'rewrite_data_files', [
    `strategy => ${quoteText(strategy === 'binpack' ? 'binpack' : 'sort')}`,
    ...(strategy === 'sort' ? [`sort_order => ${quoteText(order)}`] : []),
    ...(strategy === 'zorder' ? [`sort_order => ${quoteText(`zorder(${order})`)}`] : []),
    ...whereArgument(where.sql),
    ...optionsArgument(options),
  ]);
  return [{ ...statement, ...tuningSettings(operation) }];
}

/** The predicate and the partitions of a compaction in one; `null`: the whole table. */
function selectionOf(
  { catalog }: TableRef,
  { where, partitions }: CompactOperation,
): { readonly sql: string | null } | { readonly refused: string } {
  if (partitions === undefined) return { sql: where };
  const predicate = partitionsPredicate(partitions, catalog);
  if ('refused' in predicate || where === null) return predicate;
  return { sql: `(${where}) AND (${predicate.sql})` };
}

/** What an operation did, as the procedure's own output row tells it. */
export interface SparkOutcome {
  /** Data files (for `rewrite_manifests`: manifests) that were replaced. */
  readonly filesRewritten: number;
  /** Data files (or manifests) that replace them. */
  readonly filesAdded: number;
  readonly bytesRewritten: number;
  /**
   * Files of any kind that the operation deleted from storage or, compacting, delete files
   * dropped.
   */
  readonly filesRemoved: number;
}

/** Reads the row of the last statement; columns an older Iceberg does not have count as 0. */
export function readOutcome(operation: Operation, rows: readonly EngineRow[]): SparkOutcome {
  const row = rows[0] ?? {};
  const count = (column: string) => Number(row[column] ?? 0);
  switch (operation.kind) {
    case 'compact':
      return {
        filesRewritten: count('rewritten_data_files_count'),
        filesAdded: count('added_data_files_count'),
        bytesRewritten: count('rewritten_bytes_count'),
        filesRemoved: count('removed_delete_files_count'),
      };
    case 'rewrite_manifests':
      return {
        filesRewritten: count('rewritten_manifests_count'),
        filesAdded: count('added_manifests_count'),
        bytesRewritten: 0,
        filesRemoved: 0,
      };
    case 'expire_snapshots': {
      const deleted = Object.keys(row).filter((column) => /^deleted_.*_count$/.test(column));
      const filesRemoved = deleted.reduce((total, column) => total + count(column), 0);
      return { filesRewritten: 0, filesAdded: 0, bytesRewritten: 0, filesRemoved };
    }
    case 'rewrite_deletes':
      return {
        filesRewritten: count('rewritten_delete_files_count'),
        filesAdded: count('added_delete_files_count'),
        bytesRewritten: count('rewritten_bytes_count'),
        filesRemoved: 0,
      };
    default:
      return { filesRewritten: 0, filesAdded: 0, bytesRewritten: 0, filesRemoved: 0 };
  }
}
