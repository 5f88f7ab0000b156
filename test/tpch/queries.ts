/**
 * The 22 queries of TPC-H with the parameters of its validation runs, in SQL that Trino and Spark
 * both read. `{lineitem}` and the like stand for tables.
 */
import { readFileSync } from 'node:fs';
import type { EngineName, EngineRow } from '../../src/domain/engine.ts';
import type { Lake } from '../live/lake.ts';
import { type Shape, TABLE_NAMES } from './tables.ts';

export const QUERIES = Array.from({ length: 22 }, (_, at) => at + 1);

/** @param lineitem another table in its place */
export function queryText(query: number, shape: Shape, lineitem = 'lineitem'): string {
  const file = new URL(`./queries/q${String(query).padStart(2, '0')}.sql`, import.meta.url);
  const text = readFileSync(file, 'utf8').replace('{fraction}', String(0.0001 / shape.scale));
  return TABLE_NAMES.reduce((sql, table) => {
    const name = table === 'lineitem' ? lineitem : table;
    return sql.replaceAll(`{${table}}`, `${shape.schema}.${name}`);
  }, text);
}

export interface Answers {
  /** Query → its rows as text, sorted: ties may come in any order. */
  readonly rows: ReadonlyMap<number, readonly string[]>;
  /** Of all queries together. */
  readonly tookMs: number;
}

/** Queries that read another `lineitem` than the first one. */
export const OF_LINEITEM = QUERIES.filter((query) => ![2, 11, 13, 16, 22].includes(query));

export async function answer(
  lake: Lake,
  engine: EngineName,
  shape: Shape,
  { queries = QUERIES, lineitem = 'lineitem' }: { queries?: readonly number[]; lineitem?: string },
): Promise<Answers> {
  const rows = new Map<number, readonly string[]>();
  const begin = performance.now();
  for (const query of queries) {
    const found = await lake[engine](queryText(query, shape, lineitem));
    rows.set(query, found.map(rowText).sort());
  }
  return { rows, tookMs: performance.now() - begin };
}

function rowText(row: EngineRow): string {
  return JSON.stringify(Object.values(row), (_key, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
