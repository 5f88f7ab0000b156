/**
 * Reads the lake again, long after an erasure: whether a file that was removed is back, or a row of
 * whom nobody knows any more who they were. Values are compared by their keyed hashes.
 */
import type { Config } from './config.ts';
import type { Certificate, Trace } from './domain/erasure/certificate.ts';
import type { ProofFault, ProofFaultCode } from './domain/erasure/chain.ts';
import type { Subject } from './domain/erasure/privacy.ts';
import { IcewrightError } from './domain/errors.ts';
import { tableFromKey } from './domain/table.ts';
import { openCatalog } from './lake.ts';
import { createObjectStore } from './storage/object-store.ts';
import { asFolder, pathHash } from './verify/paths.ts';
import type { HashedValues, VersionedStore } from './verify/ports.ts';
import { otherLocationsOf } from './verify/table-metadata.ts';
import { verifyTable } from './verify/verify-table.ts';

export interface LakeCheck {
  readonly faults: readonly ProofFault[];
  readonly tables: number;
  readonly objectsRead: number;
  readonly rowsRead: number;
  /** Tables, or rows of them, of which this check says nothing. */
  readonly notChecked: readonly NotChecked[];
}

export interface NotChecked {
  readonly table: string;
  readonly because: string;
}

export interface LakeCheckInput {
  readonly certificate: Certificate;
  /** As today's policy has it: tables that came since are read as well. */
  readonly subject: Subject;
  readonly hashed: HashedValues;
  /** Tables that could not be read, and were left as they were on somebody's word. */
  readonly givenUp: ReadonlySet<string>;
  /** Which files of a table, by the hashes of their paths, an exception covers. */
  readonly exceptedFiles: (table: string) => Promise<((pathHash: string) => boolean) | null>;
}

/** What of the lake is asked. */
export interface CheckedLake {
  /** Rejects with `TableNotFound`. */
  loadTable(table: string): Promise<{
    readonly metadataLocation: string | null;
    readonly metadata: TablePlaces;
  }>;
  readonly store: VersionedStore;
}

interface TablePlaces {
  readonly location: string;
  readonly properties: Readonly<Record<string, string>>;
}

type TableCheck = Omit<LakeCheck, 'tables'>;

/** Rejects with what the catalog or the store fails with: that is no verification. */
export async function checkLake(config: Config, input: LakeCheckInput): Promise<LakeCheck> {
  const store = createObjectStore(config.storage);
  const catalog = openCatalog(config);
  const loadTable = (table: string) => catalog.loadTable(tableFromKey(table), { fresh: true });
  try {
    return await checkTables({ store, loadTable }, input);
  } finally {
    store.close();
  }
}

/** Every table of the certificate, and of today's policy. */
export async function checkTables(lake: CheckedLake, input: LakeCheckInput): Promise<LakeCheck> {
  const mapped = input.subject.tables.filter(({ action }) => action !== 'keep');
  const certified = input.certificate.tables.filter(({ action }) => action !== 'keep');
  const tables = new Set([...mapped, ...certified].map(({ table }) => table));
  const checks: TableCheck[] = [];
  for (const table of tables) checks.push(await checkTable(lake, input, table));
  return {
    faults: checks.flatMap((one) => one.faults),
    tables: checks.filter((one) => one.objectsRead > 0).length,
    objectsRead: checks.reduce((sum, one) => sum + one.objectsRead, 0),
    rowsRead: checks.reduce((sum, one) => sum + one.rowsRead, 0),
    notChecked: checks.flatMap((one) => one.notChecked),
  };
}

async function checkTable(
  { loadTable, store }: CheckedLake,
  { certificate, subject, hashed, exceptedFiles, givenUp }: LakeCheckInput,
  table: string,
): Promise<TableCheck> {
  const nothing = { objectsRead: 0, rowsRead: 0 };
  const unsaid = (because: string, faults: readonly ProofFault[] = []): TableCheck => {
    return { ...nothing, faults, notChecked: [{ table, because }] };
  };
  if (givenUp.has(table)) return unsaid('it could not be read and was left as it was');
  const loaded = await ifThere(() => loadTable(table));
  if (loaded === null) return unsaid('it is not there');
  const back = await filesBack(store, certificate, table, loaded.metadata);
  const mapping = subject.tables.find((one) => one.table === table);
  if (mapping === undefined || mapping.action === 'keep') {
    return unsaid('today’s policy does not say where its rows hold a subject', back);
  }
  const isExcepted = await exceptedFiles(table);
  const verified = await verifyTable(
    {
      ...{ table, subject, mapping, hashed, oldObjects: [] },
      metadataLocation: loaded.metadataLocation ?? '',
      subjects: [{ requestId: certificate.requestId, values: {}, isExcepted }],
    },
    store,
  );
  const seen = verified.get(certificate.requestId);
  return {
    faults: [...back, ...(seen?.traces ?? []).map((trace) => traceFault(table, trace))],
    objectsRead: seen?.objectsRead ?? 0,
    rowsRead: seen?.rowsRead ?? 0,
    notChecked: [],
  };
}

async function filesBack(
  store: VersionedStore,
  { tables }: Certificate,
  table: string,
  { location, properties }: TablePlaces,
): Promise<readonly ProofFault[]> {
  const removed = new Set(
    tables.flatMap((one) => (one.table === table ? one.filesRemoved : [])).map((f) => f.pathHash),
  );
  const back = new Set<string>();
  if (removed.size === 0) return [];
  for (const folder of [location, ...otherLocationsOf(properties)]) {
    for await (const { uri } of store.listVersions(asFolder(folder))) {
      const hash = pathHash(uri);
      if (removed.has(hash)) back.add(hash);
    }
  }
  return [...back].map((hash) =>
    fault('file_back', `file ${hash} of ${table} was removed and is there again`),
  );
}

function traceFault(table: string, { pathHash: hash, kind, how, because, identifier }: Trace) {
  if (how === 'unreadable') {
    return fault('lake_unreadable', `${kind} ${hash} of ${table} cannot be read: ${because}`);
  }
  const message = `${identifier} of the subject is in ${kind} ${hash} of ${table} (${how})`;
  return fault('subject_back', message);
}

function fault(code: ProofFaultCode, message: string): ProofFault {
  return { code, entry: null, message };
}

async function ifThere<T>(load: () => Promise<T>): Promise<T | null> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof IcewrightError && error.code === 'TableNotFound') return null;
    throw error;
  }
}
