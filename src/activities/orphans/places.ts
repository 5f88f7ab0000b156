/** The location index: where every table of the catalog lies, as it is now. */
import { IcewrightError } from '../../domain/errors.ts';
import {
  findOverlap,
  placesOf,
  refusePlaces,
  type TablePlaces,
} from '../../domain/orphans/places.ts';
import { type TableRef, tableFromKey, tableKey } from '../../domain/table.ts';
import { mapAtOnce } from '../at-once.ts';
import type { Ledger } from '../ledger-port.ts';
import type { Catalog } from '../ports.ts';
import type { TableFiles, TableVersion } from '../table-files.ts';

export interface PlaceDeps {
  readonly catalog: Pick<Catalog, 'listTables'>;
  readonly ledger: Pick<Ledger, 'latestReports'>;
  readonly files: Pick<TableFiles, 'places'>;
}

/** Tables asked for at once; a catalog answers some 800 a second. */
const ASKED_AT_ONCE = 16;

/**
 * Rejects with `SafetyRefused` when any other table's place is equal to, around or within one of
 * this table's, or when not all places of a table are known.
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
  const shared = findOverlap(own, await indexPlaces(deps, table));
  if (shared === null) return;
  throw new IcewrightError(
    'SafetyRefused',
    `${shared.table} keeps files at ${shared.place}, which overlaps with ${key} at ` +
      `${version.location}: what is an orphan of one may belong to the other; move one of them`,
    { table: key, other: shared.table },
  );
}

/** Of all tables but this one. */
async function indexPlaces(deps: PlaceDeps, own: TableRef): Promise<readonly TablePlaces[]> {
  const found: TablePlaces[] = [];
  const asked = new Set([tableKey(own)]);
  let missing: readonly Lost[] = [];
  let listed = await listOf(deps);
  // Again when one is not found: it may have been dropped, or have another name by now.
  for (;;) {
    const fresh = [...listed].filter((key) => !asked.has(key));
    for (const key of fresh) asked.add(key);
    const answers = await mapAtOnce(fresh, ASKED_AT_ONCE, (key) => askPlaces(deps, key));
    for (const one of answers) if ('places' in one) found.push(one);
    const lost = answers.filter((one) => 'cause' in one);
    missing = [...missing, ...lost];
    if (!lost.some(({ cause }) => cause.code === 'TableNotFound')) break;
    listed = await listOf(deps);
  }
  // What is listed no more was dropped: it leaves older metadata, which is looked at later. What is
  // listed was made anew in between, or its metadata file is lost: catalogs say "not found" of both.
  const isMissing = ({ cause }: Lost) => cause.code === 'TableNotFound';
  const again = await mapAtOnce(
    missing.filter((one) => isMissing(one) && listed.has(one.table)),
    ASKED_AT_ONCE,
    ({ table }) => askPlaces(deps, table),
  );
  for (const one of again) if ('places' in one) found.push(one);
  const there = [
    ...missing.filter((one) => !isMissing(one)),
    ...again.filter((one) => 'cause' in one),
  ];
  if (there.length === 0) return found;
  const reports = await deps.ledger.latestReports(own.catalog);
  const known = new Map(reports.map((one) => [one.table, one.places]));
  const measured = there.map(({ table, cause }) => {
    const places = known.get(table);
    if (places === undefined) throw unknownPlaces(table, cause);
    return { table, places };
  });
  return [...found, ...measured];
}

/** A table that could not be loaded. */
interface Lost {
  readonly table: string;
  readonly cause: IcewrightError;
}

async function listOf({ catalog }: PlaceDeps): Promise<ReadonlySet<string>> {
  return new Set((await catalog.listTables()).map(tableKey));
}

async function askPlaces({ files }: PlaceDeps, key: string): Promise<TablePlaces | Lost> {
  try {
    return await files.places(tableFromKey(key));
  } catch (cause) {
    if (!(cause instanceof IcewrightError)) throw cause;
    return { table: key, cause };
  }
}

function unknownPlaces(table: string, cause: IcewrightError): IcewrightError {
  return new IcewrightError(
    'SafetyRefused',
    `where ${table} keeps its files is not known (${cause.message}), so they may lie within this ` +
      'table: repair or drop it, or wait until it can be read, see "icewright health"',
    { other: table },
    cause,
  );
}
