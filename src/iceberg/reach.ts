/** What a table reaches, as a set that fits in memory, and whether all of it exists. */
import type { MissingFile, Reach, ReachCheck, TableVersion } from '../activities/table-files.ts';
import { IcewrightError } from '../domain/errors.ts';
import { type FileKind, isDispensable, type StoredFile } from '../domain/orphans/files.ts';
import type { TableRef } from '../domain/table.ts';
import { tableKey } from '../domain/table.ts';
import { forEachAtOnce } from './manifest-store.ts';
import type { ReadObject } from './manifests.ts';
import type { TableMetadata } from './metadata.ts';
import { isSampled, PathSet, placeOf } from './path-set.ts';
import { visitReachable } from './reachable.ts';
import type { RestCatalog } from './rest-catalog.ts';

export interface ReachStore {
  readonly readObject: ReadObject;
  list(directory: string): AsyncIterable<StoredFile>;
  head(uri: string): Promise<StoredFile | null>;
}

const S3_PATH = /^s3[an]?:\/\/[^/]+\/./;

interface Loaded extends TableVersion {
  readonly metadata: TableMetadata;
}

export async function readVersion(catalog: RestCatalog, table: TableRef): Promise<Loaded> {
  const { metadata, metadataLocation } = await catalog.loadTable(table, { fresh: true });
  if (metadataLocation === null) {
    throw refused(`the catalog does not tell where the metadata of ${tableKey(table)} are`);
  }
  const { tableUuid, currentSnapshotId: snapshotId, location, properties, encrypted } = metadata;
  return { tableUuid, snapshotId, metadataLocation, location, properties, encrypted, metadata };
}

/** Rejects with `SafetyRefused` for whatever cannot be read: unknown means keep. */
export async function readReach(
  catalog: RestCatalog,
  store: ReachStore,
  table: TableRef,
): Promise<Reach> {
  const loaded = await readVersion(catalog, table);
  const { metadata, metadataLocation } = loaded;
  const needed = new PathSet();
  const dispensable = new PathSet();
  const base = directoryPlace(loaded.location);
  let neededUnderLocation = 0;
  let foreignPath: string | null = null;
  const visit = (kind: FileKind, uri: string) => {
    if (!S3_PATH.test(uri)) foreignPath ??= uri;
    if (isDispensable(kind)) {
      dispensable.add(uri);
      return;
    }
    const before = needed.size;
    needed.add(uri);
    if (needed.size > before && placeOf(uri).startsWith(base)) neededUnderLocation += 1;
  };
  const input = { metadata, metadataLocation, readObject: store.readObject };
  await visitReachable(input, visit).catch((cause: unknown) => {
    throw unreadable(table, cause);
  });
  return {
    ...loaded,
    has: (uri) => needed.has(uri) || dispensable.has(uri),
    isNeeded: (uri) => needed.has(uri),
    neededUnderLocation,
    foreignPath,
    files: needed.size + dispensable.size,
    bytes: needed.bytes + dispensable.bytes,
  };
}

/** The location as its files' places begin. */
function directoryPlace(location: string): string {
  return `${placeOf(location).replace(/\/$/, '')}/`;
}

/** What may pass is tried again; the rest can only be refused. */
function unreadable(table: TableRef, cause: unknown): unknown {
  if (!(cause instanceof IcewrightError)) return cause;
  if (!['InvariantBroken', 'OperationUnsupported', 'CatalogRejected'].includes(cause.code)) {
    return cause;
  }
  return refused(
    `which files ${tableKey(table)} reaches is not known: ${cause.message}; ` +
      'restore the file or roll the table back, see "icewright health"',
    cause,
  );
}

function refused(message: string, cause?: unknown): IcewrightError {
  return new IcewrightError('SafetyRefused', message, {}, cause);
}

/** Objects beyond this are not all listed: a sample tells. A listing page takes 1,000. */
const LIST_MAX = 200_000;
const SAMPLE_FILES = 512;
const HEADS_AT_ONCE = 16;
const NAMED_MAX = 20;
/** Between loading and looking, somebody's expiry may have taken files and snapshots. */
const TRIES = 3;

/**
 * Is every reachable file there? Rejects as {@link readReach} does.
 * @param snapshotId only what this snapshot needs; default: all refs and all snapshots
 */
export async function checkReach(
  catalog: RestCatalog,
  store: ReachStore,
  table: TableRef,
  snapshotId?: string,
): Promise<ReachCheck> {
  for (let tries = 1; ; tries += 1) {
    const loaded = await readVersion(catalog, table);
    const check = await checkVersion(store, table, loaded, snapshotId);
    if (check.missingCount === 0 || tries === TRIES) return check;
    const now = await readVersion(catalog, table);
    if (now.metadataLocation === loaded.metadataLocation) return check;
  }
}

async function checkVersion(
  store: ReachStore,
  table: TableRef,
  loaded: Loaded,
  snapshotId: string | undefined,
): Promise<ReachCheck> {
  const listed = await listAll(store, loaded.location);
  const share = listed === null ? sampleShare(loaded) : 1;
  const asked = new PathSet();
  const doubtful: MissingFile[] = [];
  const base = directoryPlace(loaded.location);
  let checked = 0;
  const visit = (kind: FileKind, uri: string) => {
    if (isDispensable(kind) || asked.has(uri)) return;
    if (share < 1 && kind !== 'metadata' && !isSampled(uri, share)) return;
    asked.add(uri);
    checked += 1;
    const there = listed !== null && placeOf(uri).startsWith(base) && listed.has(uri);
    if (!there) doubtful.push({ kind, uri });
  };
  const { readObject } = store;
  const { metadata, metadataLocation } = loaded;
  const input = { metadata, metadataLocation, readObject, snapshotId };
  await visitReachable(input, visit).catch((cause: unknown) => {
    throw unreadable(table, cause);
  });
  const missing: MissingFile[] = [];
  await forEachAtOnce(doubtful, HEADS_AT_ONCE, async (file) => {
    if ((await store.head(file.uri)) === null) missing.push(file);
  });
  return {
    checked,
    sampled: share < 1,
    missing: missing.slice(0, NAMED_MAX),
    missingCount: missing.length,
  };
}

/** `null`: there are too many. */
async function listAll(store: ReachStore, location: string): Promise<PathSet | null> {
  const found = new PathSet();
  for await (const { uri } of store.list(`${location.replace(/\/+$/, '')}/`)) {
    found.add(uri);
    if (found.size > LIST_MAX) return null;
  }
  return found;
}

function sampleShare({ metadata }: Loaded): number {
  const head = metadata.snapshots.find((one) => one.snapshotId === metadata.currentSnapshotId);
  const files = Number(head?.summary['total-data-files'] ?? LIST_MAX);
  return Math.min(1, SAMPLE_FILES / Math.max(SAMPLE_FILES, files));
}
