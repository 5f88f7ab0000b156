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

/** A table that is not found is asked for a second time: it may have been made anew in between. */
const ASKS_MAX = 2;

/** Of all tables but this one. */
async function indexPlaces(deps: PlaceDeps, own: TableRef): Promise<readonly TablePlaces[]> {
  const answers = new Map<string, TablePlaces | Lost>();
  const asks = new Map([[tableKey(own), ASKS_MAX]]);
  const isOpen = (key: string) => {
    const answer = answers.get(key);
    return (asks.get(key) ?? 0) < ASKS_MAX && (answer === undefined || isMissing(answer));
  };
  for (let settled = false; !settled; ) {
    const listed = await listOf(deps);
    // What is listed no more was dropped: it leaves older metadata, which is looked at later. What
    // still is may have lost its metadata file: catalogs say "not found" of both.
    for (const [key, answer] of answers) {
      if (isMissing(answer) && !listed.has(key)) answers.delete(key);
    }
    const open = [...listed].filter(isOpen);
    const told = await mapAtOnce(open, ASKED_AT_ONCE, (key) => askPlaces(deps, key));
    for (const answer of told) {
      answers.set(answer.table, answer);
      asks.set(answer.table, (asks.get(answer.table) ?? 0) + 1);
    }
    settled = !told.some(isMissing);
  }
  const known = [...answers.values()].filter((one) => 'places' in one);
  const lost = [...answers.values()].filter((one) => 'cause' in one);
  return lost.length === 0 ? known : [...known, ...(await lastMeasured(deps, own, lost))];
}

/** What the last sweep knew of tables that cannot be loaded; rejects where it knew nothing. */
async function lastMeasured(
  { ledger }: PlaceDeps,
  { catalog }: TableRef,
  lost: readonly Lost[],
): Promise<readonly TablePlaces[]> {
  const reports = await ledger.latestReports(catalog);
  const known = new Map(reports.map((one) => [one.table, one.places]));
  return lost.map(({ table, cause }) => {
    const places = known.get(table);
    if (places === undefined) throw unknownPlaces(table, cause);
    return { table, places };
  });
}

/** A table that could not be loaded. */
interface Lost {
  readonly table: string;
  readonly cause: IcewrightError;
}

function isMissing(answer: TablePlaces | Lost): boolean {
  return 'cause' in answer && answer.cause.code === 'TableNotFound';
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
