/**
 * Tables that were there when a subject was looked for and cannot be seen any more: dropped,
 * renamed, made anew, or no longer mapped. Their files may all be where they were.
 */
import type { Subject } from '../../domain/erasure/privacy.ts';
import type {
  Blocker,
  ErasureRequest,
  FoundInTable,
  SeenTable,
} from '../../domain/erasure/request.ts';
import { normalizeLocation } from '../../domain/health/location.ts';
import { placesOf } from '../../domain/orphans/places.ts';
import { tableFromKey } from '../../domain/table.ts';
import { measureIfThere } from '../planning/inputs.ts';
import type { ErasureDeps } from './deps.ts';
import type { MappedTable } from './look-for.ts';

type VanishedDeps = Pick<ErasureDeps, 'catalog' | 'ledger' | 'erasures' | 'versions' | 'nowMs'>;

/** Mapped tables as they are now: those that can be read, and blockers for the others. */
interface OpenTables {
  readonly tables: readonly MappedTable[];
  readonly blockers: readonly Blocker[];
}

const PAGE = 5_000;

/** What is to be remembered of tables, before the subject is looked for in them. */
export async function seenTables(
  { ledger }: Pick<ErasureDeps, 'ledger'>,
  { tables, blockers }: OpenTables,
): Promise<readonly SeenTable[]> {
  const seen = tables.map(({ health: { table, tableUuid, location, properties } }) => ({
    ...{ table, tableUuid, rows: 0, rowsElsewhere: 0 },
    places: placesOf(location, properties),
  }));
  const lost = [...new Set(blockers.map(({ table }) => table))];
  if (lost.length === 0) return seen;
  // What cannot be read was measured once, perhaps: only that tells where its files are.
  const catalogs = [...new Set(lost.map((table) => tableFromKey(table).catalog))];
  const reports = (await Promise.all(catalogs.map((name) => ledger.latestReports(name)))).flat();
  const places = new Map(
    reports.map((one) => [one.table, one.places ?? (one.location === null ? [] : [one.location])]),
  );
  return [
    ...seen,
    ...lost.map((table) => {
      const found = { rows: 0, rowsElsewhere: 0 };
      return { table, tableUuid: null, places: places.get(table) ?? [], ...found };
    }),
  ];
}

/** With the rows of one subject. */
export function withRows(
  seen: readonly SeenTable[],
  found: readonly FoundInTable[],
): readonly SeenTable[] {
  return seen.map((one) => {
    const refs = found.find(({ table }) => table === one.table)?.refs ?? [];
    const rowsIn = (isMain: boolean) =>
      refs
        .filter(({ name }) => (name === 'main') === isMain)
        .reduce((sum, ref) => sum + ref.rows, 0);
    return { ...one, rows: rowsIn(true), rowsElsewhere: rowsIn(false) };
  });
}

/** Of all that was ever seen, what can be proven neither by reading it nor by its being gone. */
export async function vanishedFrom(
  deps: VanishedDeps,
  request: ErasureRequest,
  subject: Subject,
  open: OpenTables,
): Promise<readonly Blocker[]> {
  const vanished: Blocker[] = [];
  for (const one of request.seen) {
    if (await isInSight(deps, one, subject, open)) continue;
    if (await isEmpty(deps, request, one)) continue;
    vanished.push(vanishedBlocker(one));
  }
  return vanished;
}

async function isInSight(
  deps: VanishedDeps,
  seen: SeenTable,
  subject: Subject,
  { tables, blockers }: OpenTables,
): Promise<boolean> {
  const mapping = subject.tables.find(({ table }) => table === seen.table);
  // Somebody has said since that no row of it is a person's, and why: the certificate tells.
  if (mapping?.action === 'keep') return true;
  if (blockers.some(({ table }) => table === seen.table)) return true;
  const healths = tables.map(({ health }) => health);
  if (seen.tableUuid !== null && healths.some((one) => one.tableUuid === seen.tableUuid)) {
    return true;
  }
  // One that is made anew and empty.
  if (mapping !== undefined && !healths.some(({ table }) => table === seen.table)) {
    const options = { nowMs: deps.nowMs(), depth: 'metadata' } as const;
    const health = await measureIfThere(deps.catalog, tableFromKey(seen.table), options);
    if (health !== null) healths.push(health);
  }
  if (seen.places.length === 0) return healths.some(({ table }) => table === seen.table);
  // Whatever lies in a mapped table's places is listed and read by the second reader.
  const read = new Set(
    healths.flatMap(({ location, properties }) =>
      placesOf(location, properties).map(normalizeLocation),
    ),
  );
  return seen.places.every((place) => read.has(normalizeLocation(place)));
}

/** Neither an object nor a version nor a delete marker is left of it. */
async function isEmpty(
  { versions, erasures }: VanishedDeps,
  { batches }: ErasureRequest,
  { table, places }: SeenTable,
): Promise<boolean> {
  if (places.length === 0) return false;
  const folders = places.map(normalizeLocation);
  for (const folder of folders) {
    for await (const _version of versions.listVersions(folder)) return false;
  }
  for (const batchId of batches) {
    let after: string | undefined;
    for (;;) {
      const more = after === undefined ? {} : { after };
      const page = await erasures.listFiles({ batchId, table, limit: PAGE, ...more });
      for (const { path } of page) {
        if (path === null || folders.some((folder) => path.startsWith(folder))) continue;
        for await (const { uri } of versions.listVersions(path)) if (uri === path) return false;
      }
      if (page.length < PAGE) break;
      after = page.at(-1)?.pathHash;
    }
  }
  return true;
}

function vanishedBlocker({ table, tableUuid, places }: SeenTable): Blocker {
  const name = tableUuid ?? table;
  const where = places.length === 0 ? 'and where its files are is not known' : 'its files are not';
  return {
    table,
    kind: 'vanished',
    name,
    because: `${table} was there when the subject was looked for; it is gone, ${where}`,
    remedy:
      'put it back, name in privacy.yaml what it is called now, or delete what is left of it with ' +
      'all versions and delete markers; if it must stay, record why: icewright erase except ' +
      `<requestId> --table ${table} --kind vanished --ref ${name} --because "…"`,
    exception: null,
  };
}
