import { IcewrightError } from './errors.ts';

/** A table of a catalog. `namespace` may have several levels, joined by dots. */
export interface TableRef {
  readonly catalog: string;
  readonly namespace: string;
  readonly name: string;
}

const PART = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;

/**
 * Reads `catalog.namespace.table`, or `namespace.table` in the default catalog.
 * @param text for example `lake.bronze.raw_orders` or `bronze.raw_orders`
 * @param defaultCatalog catalog of a two-part name
 */
export function parseTable(text: string, defaultCatalog: string): TableRef {
  const parts = text.trim().split('.');
  if (parts.length < 2 || !parts.every((part) => PART.test(part))) {
    throw new IcewrightError(
      'UsageInvalid',
      `"${text}" is not a table name: expected namespace.table or catalog.namespace.table`,
      { table: text },
    );
  }
  const name = parts[parts.length - 1] as string;
  if (parts.length === 2) return { catalog: defaultCatalog, namespace: parts[0] as string, name };
  return { catalog: parts[0] as string, namespace: parts.slice(1, -1).join('.'), name };
}

/** `lake.bronze.raw_orders`: how a table is written in ids, the ledger, metrics and the CLI. */
export function tableKey(table: TableRef): string {
  return `${table.catalog}.${table.namespace}.${table.name}`;
}

/** `bronze.raw_orders`: the name inside its catalog, as the engines' procedures want it. */
export function nameInCatalog(table: TableRef): string {
  return `${table.namespace}.${table.name}`;
}

/** Turns a key written by {@link tableKey} back into a table. */
export function tableFromKey(key: string): TableRef {
  return parseTable(key, '');
}
