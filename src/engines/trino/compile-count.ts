import type { Statement } from '../../domain/engine.ts';
import type { TableRef } from '../../domain/table.ts';
import { quoteTable } from './quote.ts';

/** Counts the live rows of a snapshot, delete files applied, as `rows`. */
export function compileRowCount(table: TableRef, snapshotId: string): Statement {
  const name = quoteTable(table);
  return {
    engine: 'trino',
    sql: `SELECT count(*) AS "rows" FROM ${name} FOR VERSION AS OF ${snapshotId}`,
  };
}
