import type { TableRef } from '../../domain/table.ts';

/** `na"me` → `"na""me"`: an identifier as Trino reads it whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `it's` → `'it''s'` */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `"lake"."bronze"."raw_orders"`; a namespace of several levels is one schema name in Trino. */
export function quoteTable(table: TableRef): string {
  return [table.catalog, table.namespace, table.name].map(quoteIdentifier).join('.');
}
