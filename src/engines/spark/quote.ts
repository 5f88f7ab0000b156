import { nameInCatalog, type TableRef } from '../../domain/table.ts';

/** `` na`me `` → `` `na``me` ``: an identifier as Spark reads it whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A path into a column: `address.city` → `` `address`.`city` ``. */
export function quotePath(path: string): string {
  return path.split('.').map(quoteIdentifier).join('.');
}

/** `` `lake`.`bronze`.`raw_orders` `` */
export function quoteTable(table: TableRef): string {
  return `${quoteIdentifier(table.catalog)}.${quotePath(nameInCatalog(table))}`;
}

/**
 * `it's` → `'it\'s'`. Spark reads backslash escapes inside quotes by default (its setting
 * `spark.sql.parser.escapedStringLiterals` must be left alone).
 */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
