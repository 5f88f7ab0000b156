import type { Compiled, EngineRow } from '../../domain/engine.ts';
import { assertNever } from '../../domain/errors.ts';
import type { CompactOperation, Operation } from '../../domain/operation.ts';
import { nameInCatalog, type TableRef } from '../../domain/table.ts';
import { quoteIdentifier, quotePath, quoteText } from './quote.ts';

/**
 * Turns an operation into calls of Iceberg's procedures. Pure. Whether the engine may run it on a
 * given table is for the capability matrix: this knows what the language can say.
 */
export function compileOperation(table: TableRef, operation: Operation): Compiled {
  switch (operation.kind) {
    case 'compact':
      return compileCompact(table, operation);
    case 'expire_snapshots':
      return compileExpiry(table, operation.snapshotIds);
    case 'rewrite_manifests':
      return call(table, 'rewrite_manifests', []);
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
  const { strategy, columns, where } = operation;
  if (strategy !== 'binpack' && columns.length === 0) {
    return { refused: `compaction by ${strategy} needs at least one column` };
  }
  const order = columns.map(quotePath).join(', ');
  const options = {
    'target-file-size-bytes': String(operation.targetFileSizeBytes),
    'min-input-files': String(operation.minInputFiles),
    'rewrite-all': String(operation.rewriteAll),
    // One commit or none: what a receipt says of one replace snapshot then holds.
    'partial-progress.enabled': 'false',
  };
  const pairs = Object.entries(options).flat().map(quoteText).join(', ');
  return call(table, 'rewrite_data_files', [
    `strategy => ${quoteText(strategy === 'binpack' ? 'binpack' : 'sort')}`,
    ...(strategy === 'sort' ? [`sort_order => ${quoteText(order)}`] : []),
    ...(strategy === 'zorder' ? [`sort_order => ${quoteText(`zorder(${order})`)}`] : []),
    ...(where === null ? [] : [`where => ${quoteText(where)}`]),
    `options => map(${pairs})`,
  ]);
}

/** Largest snapshot id: they are signed 64-bit numbers, of which Iceberg uses the positive ones. */
const MAX_SNAPSHOT_ID = 2n ** 63n - 1n;

/**
 * Without `older_than` the procedure also expires by the table's own age limit
 * (`history.expire.max-snapshot-age-ms`, five days by default), whatever ids are named. No snapshot
 * is older than 1970, so with that instant the named ones go and no other.
 */
function compileExpiry(table: TableRef, snapshotIds: readonly string[]): Compiled {
  if (snapshotIds.length === 0) return { refused: 'expiry needs at least one snapshot id' };
  const bad = snapshotIds.find((id) => !/^\d{1,19}$/.test(id) || BigInt(id) > MAX_SNAPSHOT_ID);
  if (bad !== undefined) return { refused: `${JSON.stringify(bad)} is not a snapshot id` };
  return call(table, 'expire_snapshots', [
    `snapshot_ids => array(${snapshotIds.map((id) => `${id}L`).join(', ')})`,
    "older_than => TIMESTAMP '1970-01-01 00:00:00Z'",
  ]);
}

function call(table: TableRef, procedure: string, args: readonly string[]): Compiled {
  // The procedure reads its argument as an identifier: quoted inside the quoted text.
  const name = quoteText(quotePath(nameInCatalog(table)));
  const list = [`table => ${name}`, ...args].join(', ');
  const sql = `CALL ${quoteIdentifier(table.catalog)}.system.${procedure}(${list})`;
  return [{ engine: 'spark', sql }];
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
    default:
      return { filesRewritten: 0, filesAdded: 0, bytesRewritten: 0, filesRemoved: 0 };
  }
}
