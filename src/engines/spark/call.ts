import type { Statement } from '../../domain/engine.ts';
import { nameInCatalog, type TableRef } from '../../domain/table.ts';
import { quoteIdentifier, quotePath, quoteText } from './quote.ts';

/** One call of a procedure of Iceberg on a table. */
export function callProcedure(
  table: TableRef,
  procedure: string,
  args: readonly string[] = [],
): Statement {
  // The procedure reads its argument as an identifier: quoted inside the quoted text.
  const name = quoteText(quotePath(nameInCatalog(table)));
  const list = [`table => ${name}`, ...args].join(', ');
  return {
    engine: 'spark',
    sql: `CALL ${quoteIdentifier(table.catalog)}.system.${procedure}(${list})`,
  };
}

/** `where => '…'`, or nothing. */
export function whereArgument(where: string | null): readonly string[] {
  return where === null ? [] : [`where => ${quoteText(where)}`];
}

/** `options => map('a', '1')`, or nothing where there are none; `undefined` ones are left out. */
export function optionsArgument(
  options: Readonly<Record<string, string | number | boolean | undefined>>,
): readonly string[] {
  const pairs = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [quoteText(name), quoteText(String(value))]);
  return pairs.length === 0 ? [] : [`options => map(${pairs.join(', ')})`];
}

/** `array('a', 'b')` */
export function textArray(values: readonly string[]): string {
  return `array(${values.map(quoteText).join(', ')})`;
}
