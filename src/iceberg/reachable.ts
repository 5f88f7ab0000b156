/**
 * Every file that a table's current metadata reaches, over all refs and all snapshots, one after
 * another: nothing is held but what is being read. What cannot be read is an error, never a gap.
 */
import type { FileKind } from '../domain/orphans/files.ts';
import { AvroCursor } from './avro-cursor.ts';
import { compileSchema, damaged, encrypted, openAvro, unpack } from './avro-file.ts';
import { type PathRow, pathReaderOf } from './entry-reader.ts';
import { forEachAtOnce, readsAtOnce } from './manifest-store.ts';
import {
  MAX_MANIFEST_BYTES,
  type ManifestFile,
  type ReadObject,
  readManifestList,
} from './manifests.ts';
import type { SnapshotFiles, TableMetadata } from './metadata.ts';

export interface ReachInput {
  readonly metadata: TableMetadata;
  /** Of the current metadata file. */
  readonly metadataLocation: string;
  readonly readObject: ReadObject;
  /** Only metadata.json and what this snapshot needs; default: everything. */
  readonly snapshotId?: string | undefined;
}

/** Told of each file at least once; of a file that several snapshots hold, more than once. */
export type VisitFile = (kind: FileKind, uri: string) => void;

/** Manifest lists that are read at once; each is small. */
const LISTS_AT_ONCE = 8;
/** Manifests of snapshots whose lists are read before the manifests are. */
const SNAPSHOTS_BATCH = 64;

/**
 * Visits metadata.json, its log, manifest lists, manifests, data files, delete files, deletion
 * vectors, statistics.
 * Rejects with the code of what could not be read (`InvariantBroken` for a file that is missing or
 * damaged, `OperationUnsupported` for one that is encrypted or of an unknown kind, …).
 */
export async function visitReachable(input: ReachInput, visit: VisitFile): Promise<void> {
  const { metadata, metadataLocation } = input;
  if (metadata.encrypted) throw encrypted(metadata.location);
  visit('metadata', metadataLocation);
  if (input.snapshotId === undefined) visitBesides(metadata, visit);
  // Exact, not hashed: a manifest that were taken for another would not be read.
  const seen = new Set<string>();
  const all = snapshotsOf(input);
  for (let start = 0; start < all.length; start += SNAPSHOTS_BATCH) {
    const fresh: ManifestFile[] = [];
    await forEachAtOnce(all.slice(start, start + SNAPSHOTS_BATCH), LISTS_AT_ONCE, async (files) => {
      if (files.manifestList !== null) visit('manifest_list', files.manifestList);
      for (const manifest of await readManifestList(files, input.readObject)) {
        if (seen.has(manifest.uri)) continue;
        seen.add(manifest.uri);
        fresh.push(manifest);
      }
    });
    await forEachAtOnce(fresh, readsAtOnce(fresh), (manifest) =>
      visitEntries(input, manifest, visit),
    );
  }
}

function visitBesides(metadata: TableMetadata, visit: VisitFile): void {
  visit('version_hint', `${metadata.location.replace(/\/+$/, '')}/metadata/version-hint.text`);
  for (const uri of metadata.metadataLog) visit('metadata_log', uri);
  for (const uri of metadata.statisticsFiles) visit('statistics', uri);
  for (const uri of metadata.partitionStatisticsFiles) visit('partition_statistics', uri);
}

function snapshotsOf({ metadata, snapshotId }: ReachInput): readonly SnapshotFiles[] {
  if (snapshotId === undefined) return [...metadata.files.values()];
  const found = metadata.files.get(snapshotId);
  if (found !== undefined) return [found];
  throw damaged(metadata.location, `it has no snapshot ${snapshotId}`);
}

async function visitEntries(
  { readObject }: ReachInput,
  { uri, lengthBytes }: ManifestFile,
  visit: VisitFile,
): Promise<void> {
  visit('manifest', uri);
  const bytes = await readObject(uri, MAX_MANIFEST_BYTES);
  if (lengthBytes !== null && bytes.length < lengthBytes) {
    throw damaged(uri, `it has ${bytes.length} bytes of ${lengthBytes}`);
  }
  const file = openAvro(bytes, uri);
  const read = compileSchema(file, pathReaderOf);
  const row: PathRow = { status: 0, content: 0, isPuffin: false, path: '' };
  for (const block of file.blocks) {
    const cursor = new AvroCursor(unpack(file, block));
    for (let index = 0; index < block.records; index += 1) {
      read(cursor, row);
      if (cursor.overrun) throw damaged(uri, 'a block ends inside a record');
      if (isLive(row, uri)) visit(kindOf(row, uri), row.path);
    }
  }
}

const [EXISTING, ADDED, DELETED] = [0, 1, 2];

/** An entry that says "deleted" holds its file no more; the snapshots before it may. */
function isLive({ status }: PathRow, uri: string): boolean {
  if (status === DELETED) return false;
  if (status === EXISTING || status === ADDED) return true;
  throw damaged(uri, `it has an entry of status ${status}`);
}

function kindOf({ content, isPuffin }: PathRow, uri: string): FileKind {
  if (content === 0) return 'data';
  if (content === 1) return isPuffin ? 'deletion_vector' : 'position_deletes';
  if (content === 2) return 'equality_deletes';
  throw damaged(uri, `it lists a file of content ${content}, which is not known`);
}
