import type { Rollback } from '../activities/operate/rollback.ts';
import type { Catalog, ManifestCache, MeasureOptions, Remeasured } from '../activities/ports.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { TableHealth } from '../domain/health/health.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import { listNamespaces, listTablesIn } from './listing.ts';
import { createManifestStore, type ManifestStore } from './manifest-store.ts';
import type { ReadObject } from './manifests.ts';
import { type MeasureInput, measure } from './measure.ts';
import { LOAD_TABLE, type SnapshotJson } from './metadata.schema.ts';
import { readMetadata, type TableMetadata } from './metadata.ts';
import {
  createRestClient,
  messageOf,
  parseBody,
  type RestAnswer,
  type RestClient,
  type RestClientOptions,
} from './rest-client.ts';
import { rollBack } from './rollback.ts';
import { readSlimSnapshot } from './slim-snapshot.ts';
import { createSnapshotSplitter } from './snapshot-splitter.ts';
import { type CachedTable, createTableCache, type TableCache } from './table-cache.ts';
import { readTraits } from './traits.ts';

export interface RestCatalogOptions extends RestClientOptions {
  /** Name of the catalog in table keys: `lake`. */
  readonly name: string;
  /** Reads manifests; only depth `files` needs it. */
  readonly readObject: ReadObject;
  /** What is known of manifests from earlier processes; default: nothing. */
  readonly manifests?: ManifestCache | undefined;
  /** Metadata text that is remembered for conditional loads. Default 16 MB. */
  readonly cacheBytes?: number | undefined;
}

export interface LoadedTable {
  readonly metadata: TableMetadata;
  /** Address of the metadata file; `null` when the catalog does not tell. */
  readonly metadataLocation: string | null;
  /** `null`: the catalog sends none. */
  readonly etag: string | null;
  /** Length of the text that the catalog sent. */
  readonly metadataBytes: number;
  /** `true`: the catalog said "not modified" and the remembered table was used. */
  readonly notModified: boolean;
}

export interface LoadOptions {
  /** `refs`: only snapshots that a branch or tag names, where the catalog can. Default `all`. */
  readonly snapshots?: 'all' | 'refs';
  /** `true`: asks for the whole table also when it is remembered. */
  readonly fresh?: boolean;
}

export interface RestCatalog extends Catalog, Rollback {
  /** All namespaces, every level, sorted. Those with a dot in a level's name are left out. */
  listNamespaces(): Promise<readonly string[]>;
  /**
   * Rejects with `TableNotFound`, `CatalogUnavailable`, `CredentialsRejected` or
   * `CatalogRejected` (an answer that is no table metadata).
   */
  loadTable(table: TableRef, options?: LoadOptions): Promise<LoadedTable>;
}

/** Of Iceberg's table format. */
const NEWEST_VERSION = 3;
const DEFAULT_CACHE_BYTES = 16 * 2 ** 20;

/** A client of an Iceberg REST catalog; it writes nothing but a rollback. Connections are kept alive. */
export function createRestCatalog(options: RestCatalogOptions): RestCatalog {
  const client = createRestClient(options);
  const cache = createTableCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  const { readObject, manifests } = options;
  const store = createManifestStore({ readObject, cache: manifests });
  const context: Context = { client, cache, readObject, store };
  return {
    listNamespaces: async () => (await listNamespaces(client)).map((one) => one.join('.')).sort(),
    listTables: () => listTables(client, options.name),
    tableExists: (table) => tableExists(client, table),
    loadTable: (table, loadOptions) => loadTable(context, table, loadOptions ?? {}),
    measureTable: (table, measureOptions) => measureTable(context, table, measureOptions),
    rollBack: async (table, move) => rollBack(client, await tablePath(client, table), move),
    remeasureTable: (table, { etag, ...rest }) => remeasureTable(context, table, etag, rest),
  };
}

interface Context {
  readonly client: RestClient;
  readonly cache: TableCache;
  readonly readObject: ReadObject;
  readonly store: ManifestStore;
}

async function listTables(client: RestClient, catalog: string): Promise<readonly TableRef[]> {
  const found: TableRef[] = [];
  for (const levels of await listNamespaces(client)) {
    const namespace = levels.join('.');
    for (const name of await listTablesIn(client, levels)) found.push({ catalog, namespace, name });
  }
  return found.sort((left, right) => (tableKey(left) < tableKey(right) ? -1 : 1));
}

async function tablePath(client: RestClient, table: TableRef): Promise<string> {
  const namespace = await client.namespacePath(table.namespace.split('.'));
  return `namespaces/${namespace}/tables/${encodeURIComponent(table.name)}`;
}

async function tableExists(client: RestClient, table: TableRef): Promise<boolean> {
  const answer = await client.send(await tablePath(client, table), { method: 'HEAD' });
  if (answer.status === 404) return false;
  if (answer.status === 200 || answer.status === 204) return true;
  const where = `the catalog at ${client.url}`;
  const message = `${where} answered HTTP ${answer.status} for ${tableKey(table)}`;
  throw new IcewrightError('CatalogRejected', message, { status: answer.status });
}

async function loadTable(
  context: Context,
  table: TableRef,
  options: LoadOptions,
): Promise<LoadedTable> {
  const { cache } = context;
  const snapshots = options.snapshots ?? 'all';
  const key = `${snapshots} ${tableKey(table)}`;
  const known = options.fresh === true ? undefined : cache.get(key);
  const read = await requestTable(context, table, snapshots, known?.etag ?? null);
  if (read !== 'not modified') {
    cache.delete(key);
    if (read.etag !== null) cache.set(key, { ...read, etag: read.etag });
    return { ...read, notModified: false };
  }
  return { ...(known as CachedTable), notModified: true };
}

/** One request; `etag` of what the caller has already. */
async function requestTable(
  { client }: Pick<Context, 'client'>,
  table: TableRef,
  snapshots: 'all' | 'refs',
  etag: string | null,
): Promise<Omit<LoadedTable, 'notModified'> | 'not modified'> {
  const where = `${client.url} (table ${tableKey(table)})`;
  const found: SnapshotJson[] = [];
  const answer = await client.send(await tablePath(client, table), {
    query: { snapshots },
    headers: etag === null ? {} : { 'If-None-Match': etag },
    largeBody: () => createSnapshotSplitter((text) => found.push(readSlimSnapshot(text, where))),
  });
  if (answer.status === 304 && etag !== null) return 'not modified';
  // Iceberg's own catalogs (1.12) cannot leave out a snapshot that has statistics: they answer 400.
  if (answer.status === 400 && snapshots === 'refs') {
    return requestTable({ client }, table, 'all', null);
  }
  if (answer.status === 404) {
    const message = `table ${tableKey(table)} is not in the catalog at ${client.url}`;
    throw new IcewrightError('TableNotFound', `${message}: ${messageOf(answer)}`, {
      table: tableKey(table),
    });
  }
  checkVersion(answer, where);
  const body = parseBody(LOAD_TABLE, answer, where);
  const json = found.length === 0 ? body.metadata : { ...body.metadata, snapshots: found };
  return {
    metadata: readMetadata(json),
    metadataLocation: body['metadata-location'] ?? null,
    etag: answer.etag,
    metadataBytes: answer.textBytes,
  };
}

/** Before the shape is checked: a later version may have another one. */
function checkVersion({ text }: RestAnswer, where: string): void {
  const version = Number(/"format-version"\s*:\s*(\d+)/.exec(text)?.[1] ?? 0);
  if (version <= NEWEST_VERSION) return;
  throw new IcewrightError(
    'CatalogRejected',
    `${where} is of format-version ${version} of Iceberg; readable are 1 to ${NEWEST_VERSION}`,
    { where, damage: `format version ${version}` },
  );
}

async function measureTable(
  context: Context,
  table: TableRef,
  options: MeasureOptions,
): Promise<TableHealth> {
  return measureLoaded(context, table, await loadTable(context, table, {}), options);
}

/** Leaves the remembered tables as they are: a sweep of thousands would drive out all of them. */
async function remeasureTable(
  context: Context,
  table: TableRef,
  etag: string | null,
  options: MeasureOptions,
): Promise<Remeasured> {
  const read = await requestTable(context, table, 'all', etag);
  if (read === 'not modified') return { changed: false };
  const health = await measureLoaded(context, table, read, options);
  return { changed: true, etag: read.etag, health };
}

type Measurable = Pick<LoadedTable, 'metadata' | 'metadataBytes' | 'etag'>;

async function measureLoaded(
  context: Context,
  table: TableRef,
  first: Measurable,
  options: MeasureOptions,
): Promise<TableHealth> {
  const { readObject, store } = context;
  const input = ({ metadata, metadataBytes }: Measurable): MeasureInput => {
    return { table, metadata, metadataBytes, readObject, store };
  };
  const traits = await readTraits(context.client, first.etag);
  try {
    return { ...(await measure(input(first), options)), traits };
  } catch (cause) {
    if (!isMissingObject(cause)) throw cause;
    // Between loading and reading, a commit and an expiry may have removed what was loaded.
    const again = await loadTable(context, table, { fresh: true });
    if (again.metadata.currentSnapshotId === first.metadata.currentSnapshotId) throw cause;
    return { ...(await measure(input(again), options)), traits };
  }
}

function isMissingObject(cause: unknown): boolean {
  return cause instanceof IcewrightError && cause.details.missing === true;
}
