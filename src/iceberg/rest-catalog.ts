import type { Catalog, MeasureOptions } from '../activities/ports.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { TableHealth } from '../domain/health.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import { listNamespaces, listTablesIn } from './listing.ts';
import type { ReadObject } from './manifests.ts';
import { measure } from './measure.ts';
import { LOAD_TABLE } from './metadata.schema.ts';
import { readMetadata, type TableMetadata } from './metadata.ts';
import {
  createRestClient,
  messageOf,
  parseBody,
  type RestClient,
  type RestClientOptions,
} from './rest-client.ts';
import { createTableCache, type TableCache } from './table-cache.ts';

export interface RestCatalogOptions extends RestClientOptions {
  /** Name of the catalog in table keys: `lake`. */
  readonly name: string;
  /** Reads manifests; only depth `files` needs it. */
  readonly readObject: ReadObject;
  /** Metadata text that is remembered for conditional loads. Default 16 MB. */
  readonly cacheBytes?: number | undefined;
}

export interface LoadedTable {
  readonly metadata: TableMetadata;
  /** Address of the metadata file; `null` when the catalog does not tell. */
  readonly metadataLocation: string | null;
  /** `true`: the catalog said "not modified" and the remembered table was used. */
  readonly notModified: boolean;
}

export interface LoadOptions {
  /** `refs`: only snapshots that a branch or tag names, where the catalog can. Default `all`. */
  readonly snapshots?: 'all' | 'refs';
  /** `true`: asks for the whole table also when it is remembered. */
  readonly fresh?: boolean;
}

export interface RestCatalog extends Catalog {
  /** All namespaces, every level, sorted. Those with a dot in a level's name are left out. */
  listNamespaces(): Promise<readonly string[]>;
  /**
   * Rejects with `TableNotFound`, `CatalogUnavailable`, `CredentialsRejected` or
   * `CatalogRejected` (an answer that is no table metadata).
   */
  loadTable(table: TableRef, options?: LoadOptions): Promise<LoadedTable>;
}

const DEFAULT_CACHE_BYTES = 16 * 2 ** 20;

/** A read-only client of an Iceberg REST catalog. Connections are kept alive. */
export function createRestCatalog(options: RestCatalogOptions): RestCatalog {
  const client = createRestClient(options);
  const cache = createTableCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  const context: Context = { client, cache, readObject: options.readObject };
  return {
    listNamespaces: async () => (await listNamespaces(client)).map((one) => one.join('.')).sort(),
    listTables: () => listTables(client, options.name),
    tableExists: (table) => tableExists(client, table),
    loadTable: (table, loadOptions) => loadTable(context, table, loadOptions ?? {}),
    measureTable: (table, measureOptions) => measureTable(context, table, measureOptions),
    remeasureTable: async (table, { etag: _etag, ...measureOptions }) => {
      const health = await measureTable(context, table, measureOptions);
      return { changed: true, etag: null, health };
    },
  };
}

interface Context {
  readonly client: RestClient;
  readonly cache: TableCache;
  readonly readObject: ReadObject;
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
  const { client, cache } = context;
  const snapshots = options.snapshots ?? 'all';
  const key = `${snapshots} ${tableKey(table)}`;
  const known = options.fresh === true ? undefined : cache.get(key);
  const answer = await client.send(await tablePath(client, table), {
    query: { snapshots },
    headers: known === undefined ? {} : { 'If-None-Match': known.etag },
  });
  if (answer.status === 304 && known !== undefined) {
    return { ...loaded(known), notModified: true };
  }
  if (answer.status === 404) {
    cache.delete(key);
    const message = `table ${tableKey(table)} is not in the catalog at ${client.url}`;
    throw new IcewrightError('TableNotFound', `${message}: ${messageOf(answer)}`, {
      table: tableKey(table),
    });
  }
  const body = parseBody(LOAD_TABLE, answer, `${client.url} (table ${tableKey(table)})`);
  const read = {
    metadata: readMetadata(body.metadata),
    metadataLocation: body['metadata-location'] ?? null,
  };
  if (answer.etag !== null) {
    cache.set(key, { ...read, etag: answer.etag, textBytes: answer.text.length });
  }
  return { ...read, notModified: false };
}

function loaded(known: { metadata: TableMetadata; metadataLocation: string | null }) {
  return { metadata: known.metadata, metadataLocation: known.metadataLocation };
}

async function measureTable(
  context: Context,
  table: TableRef,
  options: MeasureOptions,
): Promise<TableHealth> {
  const first = await loadTable(context, table, {});
  try {
    return await measure(table, first.metadata, options, context.readObject);
  } catch (cause) {
    if (!isMissingObject(cause)) throw cause;
    // Between loading and reading, a commit and an expiry may have removed what was loaded.
    const again = await loadTable(context, table, { fresh: true });
    if (again.metadata.currentSnapshotId === first.metadata.currentSnapshotId) throw cause;
    return measure(table, again.metadata, options, context.readObject);
  }
}

function isMissingObject(cause: unknown): boolean {
  return cause instanceof IcewrightError && cause.details.missing === true;
}
