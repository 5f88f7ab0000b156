import type { Compiled, EngineRow, Statement } from '../../domain/engine.ts';
import { assertNever } from '../../domain/errors.ts';
import type {
  CompactOperation,
  ComputeStatisticsOperation,
  Operation,
} from '../../domain/operation.ts';
import type { TableRef } from '../../domain/table.ts';
import { partitionsPredicate } from './partitions.ts';
import { quoteTable, quoteText } from './quote.ts';

/** Share of the target below which a file counts as small; the planner uses the same. */
const SMALL_SHARE = 0.75;
/** Larger than any file, so that `optimize` takes every one. */
const ANY_SIZE = '1PB';

/**
 * Turns an operation into Trino's statements. Pure. What Trino can do only for some format versions
 * is for the capability matrix: this knows what the language can say at all.
 */
export function compileOperation(table: TableRef, operation: Operation): Compiled {
  switch (operation.kind) {
    case 'compact':
      return compileCompact(table, operation);
    case 'expire_snapshots':
      return {
        refused:
          'Trino expires snapshots by age only, never by id: it might drop others than planned; ' +
          'use Spark',
      };
    case 'rewrite_manifests':
      if (operation.specId === undefined && operation.sortBy === undefined) {
        return [execute(table, 'optimize_manifests')];
      }
      return { refused: 'Trino rewrites all manifests, in its own order; use Spark' };
    case 'rewrite_deletes':
      return { refused: 'Trino has no procedure that rewrites delete files; use Spark' };
    case 'compute_statistics':
      return compileStatistics(table, operation);
    case 'drop_statistics':
      return [execute(table, 'drop_extended_stats')];
    case 'set_properties':
      return { refused: 'Trino removes no table property, and sets few; use Spark' };
    case 'remove_orphans':
      return { refused: 'orphans are deleted by an exact list: no statement can' };
    default:
      return assertNever(operation);
  }
}

function compileCompact(table: TableRef, operation: CompactOperation): Compiled {
  if (operation.strategy !== 'binpack') {
    return { refused: `Trino has no ${operation.strategy} compaction, only bin-pack; use Spark` };
  }
  const smallBytes = Math.floor(operation.targetFileSizeBytes * SMALL_SHARE);
  const threshold = operation.rewriteAll ? ANY_SIZE : `${smallBytes}B`;
  if (operation.deletes !== undefined) {
    return { refused: 'Trino chooses files by size only, not by their deletes; use Spark' };
  }
  const selected = selectionOf(operation);
  if ('refused' in selected) return selected;
  const where = selected.sql === null ? '' : ` WHERE ${selected.sql}`;
  const statement = execute(table, `optimize(file_size_threshold => '${threshold}')`);
  return [
    {
      ...statement,
      sql: statement.sql + where,
      // Trino's own default target is 1 GB, whatever the table's properties say.
      settings: { [`${table.catalog}.target_max_file_size`]: `${operation.targetFileSizeBytes}B` },
    },
  ];
}

/** The predicate and the partitions of a compaction in one; `null`: the whole table. */
function selectionOf({
  where,
  partitions,
}: CompactOperation): { readonly sql: string | null } | { readonly refused: string } {
  if (partitions === undefined) return { sql: where };
  const predicate = partitionsPredicate(partitions);
  if ('refused' in predicate || where === null) return predicate;
  return { sql: `(${where}) AND ${predicate.sql}` };
}

/** Collects nothing per partition: there is no such statistic in Trino. */
function compileStatistics(
  table: TableRef,
  { columns, perPartition }: ComputeStatisticsOperation,
): Compiled {
  if (perPartition === true) {
    return { refused: 'Trino writes no statistics of partitions; use Spark' };
  }
  const names = columns.map((column) => quoteText(column.toLowerCase())).join(', ');
  const properties = columns.length === 0 ? '' : ` WITH (columns = ARRAY[${names}])`;
  return [{ engine: 'trino', sql: `ANALYZE ${quoteTable(table)}${properties}` }];
}

function execute(table: TableRef, procedure: string): Statement {
  return { engine: 'trino', sql: `ALTER TABLE ${quoteTable(table)} EXECUTE ${procedure}` };
}

/** What an operation did, as Trino's own answer tells it. */
export interface TrinoOutcome {
  readonly filesRewritten: number;
  readonly filesAdded: number;
}

/**
 * Reads the answer of the last statement. Trino 476 answers an `EXECUTE` with no row, later ones
 * with `metric_name, metric_value` rows.
 * @returns `null` when Trino told nothing: the snapshots before and after are then what is known;
 * the one it made carries the query's id as `trino_query_id` in its summary (not for manifests)
 */
export function readOutcome(operation: Operation, rows: readonly EngineRow[]): TrinoOutcome | null {
  if (operation.kind !== 'compact') return null;
  const metrics = new Map(rows.map((row) => [row.metric_name, Number(row.metric_value ?? 0)]));
  const filesRewritten = metrics.get('rewritten_data_files_count');
  if (filesRewritten === undefined) return null;
  return { filesRewritten, filesAdded: metrics.get('added_data_files_count') ?? 0 };
}
