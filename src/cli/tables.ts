import { IcewrightError } from '../domain/errors.ts';
import { nameInCatalog, type TableRef, tableKey } from '../domain/table.ts';
import type { Session } from './session.ts';

/** Tables whose name matches; `*` stands for any text. An exact name must exist. */
export async function matchTables(session: Session, pattern: string): Promise<readonly TableRef[]> {
  const catalog = await session.catalog();
  if (!pattern.includes('*')) {
    const table = session.table(pattern);
    if (await catalog.tableExists(table)) return [table];
    const message = `there is no table ${tableKey(table)}: "icewright health" lists what there is`;
    throw new IcewrightError('TableNotFound', message, { table: tableKey(table) });
  }
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const matcher = new RegExp(`^${escaped.join('.*')}$`);
  const all = await catalog.listTables();
  return all.filter((table) => matcher.test(tableKey(table)) || matcher.test(nameInCatalog(table)));
}
