/** The location index: where every table of the catalog lies, as it is now. */
import { IcewrightError } from '../domain/errors.ts';
import { findOverlap, placesOf, refusePlaces, type TablePlaces } from '../domain/orphans/places.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import type { Ledger } from './ledger-port.ts';
import type { Catalog } from './ports.ts';
import type { TableFiles, TableVersion } from './table-files.ts';

export interface PlaceDeps {
  readonly catalog: Pick<Catalog, 'listTables'>;
  readonly ledger: Pick<Ledger, 'latestReports'>;
  readonly files: Pick<TableFiles, 'places'>;
}

/** Tables asked for at once; a catalog answers some 800 a second. */
const ASKED_AT_ONCE = 16;

/**
 * Rejects with `SafetyRefused` when any other table's place is equal to, around or within one of
 * this table's, or when the place of a table is not known.
 */
export async function refuseSharedPlaces(
  deps: PlaceDeps,
  table: TableRef,
  version: TableVersion,
): Promise<void> {
  const key = tableKey(table);
  const own: TablePlaces = { table: key, places: placesOf(version.location, version.properties) };
  const bad = refusePlaces(key, own.places);
  if (bad !== null) throw new IcewrightError('SafetyRefused', bad, { table: key });
  const others = (await deps.catalog.listTables()).filter((one) => tableKey(one) !== key);
  const shared = findOverlap(own, await indexPlaces(deps, table.catalog, others));
  if (shared === null) return;
  throw new IcewrightError(
    'SafetyRefused',
    `${shared.table} keeps files at ${shared.place}, which overlaps with ${key} at ` +
      `${version.location}: what is an orphan of one may belong to the other; move one of them`,
    { table: key, other: shared.table },
  );
}

async function indexPlaces(
  deps: PlaceDeps,
  catalog: string,
  tables: readonly TableRef[],
): Promise<readonly TablePlaces[]> {
  const found: TablePlaces[] = [];
  const lost: { readonly table: string; readonly cause: IcewrightError }[] = [];
  const queue = tables.values();
  const worker = async () => {
    for (const table of queue) {
      try {
        found.push(await deps.files.places(table));
      } catch (cause) {
        if (!(cause instanceof IcewrightError)) throw cause;
        // Dropped while we asked: what it leaves is older metadata, which is looked at later.
        if (cause.code !== 'TableNotFound') lost.push({ table: tableKey(table), cause });
      }
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
  if (lost.length === 0) return found;
  // A table that cannot be read now was measured before, most likely: a location never moves far.
  const reports = await deps.ledger.latestReports(catalog);
  for (const { table, cause } of lost) {
    const location = reports.find((one) => one.table === table)?.location ?? null;
    if (location === null) throw unknownPlace(table, cause);
    found.push({ table, places: [location] });
  }
  return found;
}

function unknownPlace(table: string, cause: IcewrightError): IcewrightError {
  return new IcewrightError(
    'SafetyRefused',
    `where ${table} lies is not known (${cause.message}), so it may lie within this table: ` +
      'repair or drop it, see "icewright health"',
    { other: table },
    cause,
  );
}
