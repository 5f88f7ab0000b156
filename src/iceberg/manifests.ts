import type { Schema } from 'avsc';
import { IcewrightError } from '../domain/errors.ts';
import { type AvroRecord, readAvro, type TypeCache } from './avro-file.ts';
import type { SnapshotFiles } from './metadata.ts';

/** Reads a whole object; rejects when it is missing or larger than `maxBytes`. */
export type ReadObject = (uri: string, maxBytes: number) => Promise<Buffer>;

export interface ManifestFile {
  readonly uri: string;
  readonly specId: number;
}

/** A live file as a manifest lists it. */
export interface FileEntry {
  readonly content: 'data' | 'position_deletes' | 'equality_deletes';
  readonly records: number;
  readonly bytes: number;
  /** Values in the order of the partition spec's fields; 64-bit integers as `bigint`. */
  readonly partition: readonly unknown[];
}

/** Iceberg writes manifests of 8 MB; lists hold some 200 bytes for each. */
const MAX_MANIFEST_BYTES = 256 * 2 ** 20;

const LIST_FIELDS = new Set(['manifest_path', 'partition_spec_id', 'key_metadata']);
const ENTRY_FIELDS = new Set(['status', 'data_file']);
const FILE_FIELDS = new Set([
  'content',
  'partition',
  'record_count',
  'file_size_in_bytes',
  'content_size_in_bytes',
]);
const DELETED = 2;
const CONTENTS = ['data', 'position_deletes', 'equality_deletes'] as const;

/** The manifests of a snapshot, data and deletes. */
export async function readManifestList(
  files: SnapshotFiles,
  readObject: ReadObject,
): Promise<readonly ManifestFile[]> {
  // Tables of the first Iceberg versions name their manifests in the metadata and have one spec.
  if (files.manifestList === null) return files.manifests.map((uri) => ({ uri, specId: 0 }));
  const uri = files.manifestList;
  const bytes = await readObject(uri, MAX_MANIFEST_BYTES);
  const found: ManifestFile[] = [];
  for (const record of readAvro(bytes, uri, keepFields(LIST_FIELDS), new Map())) {
    if (record.key_metadata !== null && record.key_metadata !== undefined) throw encrypted(uri);
    found.push({
      uri: String(record.manifest_path),
      specId: Number(record.partition_spec_id ?? 0),
    });
  }
  return found;
}

/** The live files of one manifest, one at a time. */
export async function* readManifest(
  manifest: ManifestFile,
  readObject: ReadObject,
  types: TypeCache,
): AsyncGenerator<FileEntry> {
  const bytes = await readObject(manifest.uri, MAX_MANIFEST_BYTES);
  for (const record of readAvro(bytes, manifest.uri, projectEntry, types)) {
    if (record.status === DELETED) continue;
    yield entryOf(record.data_file as AvroRecord, manifest.uri);
  }
}

function entryOf(file: AvroRecord, uri: string): FileEntry {
  const content = CONTENTS[Number(file.content ?? 0)];
  if (content === undefined) {
    throw new IcewrightError(
      'OperationUnsupported',
      `${uri} lists a file of content ${String(file.content)}, which this version does not know`,
      { uri },
    );
  }
  return {
    content,
    records: Number(file.record_count),
    // Several deletion vectors share one Puffin file: each counts its own part.
    bytes: Number(file.content_size_in_bytes ?? file.file_size_in_bytes),
    partition: Object.values((file.partition ?? {}) as AvroRecord),
  };
}

interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: unknown }[];
}

function keepFields(names: ReadonlySet<string>): (writer: Schema) => Schema {
  return (writer) => narrow(writer as unknown as RecordSchema, names) as unknown as Schema;
}

/** Column bounds and counts are most of a manifest; skipping them is several times faster. */
function projectEntry(writer: Schema): Schema {
  const entry = narrow(writer as unknown as RecordSchema, ENTRY_FIELDS);
  const fields = entry.fields.map((field) =>
    field.name === 'data_file'
      ? { ...field, type: narrow(field.type as RecordSchema, FILE_FIELDS) }
      : field,
  );
  return { ...entry, fields } as unknown as Schema;
}

function narrow(record: RecordSchema, names: ReadonlySet<string>): RecordSchema {
  return { ...record, fields: record.fields.filter((field) => names.has(field.name)) };
}

function encrypted(uri: string): IcewrightError {
  return new IcewrightError(
    'OperationUnsupported',
    `the manifests of ${uri} are encrypted: their files cannot be counted without an engine`,
    { uri },
  );
}
