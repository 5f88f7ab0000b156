import type { Compiled, EngineRow, Statement } from '../../domain/engine.ts';
import { assertNever } from '../../domain/errors.ts';
import type { CompactOperation, Operation } from '../../domain/operation.ts';
import type { TableRef } from '../../domain/table.ts';
import { quoteTable } from './quote.ts';

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
      return [execute(table, 'optimize_manifests')];
    case 'rewrite_deletes':
    case 'remove_orphans':
    case 'compute_statistics':
    case 'drop_statistics':
    case 'set_properties':
      return { refused: `${operation.kind} cannot be compiled yet` };
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
  const where = operation.where === null ? '' : ` WHERE ${operation.where}`;
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
