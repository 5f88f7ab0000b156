import { encrypted, readAvro } from './avro-file.ts';
import type { SnapshotFiles } from './metadata.ts';

/** Reads a whole object; rejects when it is missing or larger than `maxBytes`. */
export type ReadObject = (uri: string, maxBytes: number) => Promise<Buffer>;

export interface ManifestFile {
  readonly uri: string;
  readonly specId: number;
  /** `null`: named without its length. */
  readonly lengthBytes: number | null;
  /** Of the snapshot that made it; 0: not told, as in format version 1. */
  readonly sequenceNumber: number;
}

/** Iceberg writes manifests of 8 MB; lists hold some 200 bytes for each. */
export const MAX_MANIFEST_BYTES = 256 * 2 ** 20;

const LIST_FIELDS = new Set([
  'manifest_path',
  'manifest_length',
  'partition_spec_id',
  'sequence_number',
  'key_metadata',
]);

/** The manifests of a snapshot, data and deletes. */
export async function readManifestList(
  files: SnapshotFiles,
  readObject: ReadObject,
): Promise<readonly ManifestFile[]> {
  const uri = files.manifestList;
  // Tables of the first Iceberg versions name their manifests in the metadata and have one spec.
  if (uri === null) {
    return files.manifests.map((one) => ({
      uri: one,
      specId: 0,
      lengthBytes: null,
      sequenceNumber: 0,
    }));
  }
  const bytes = await readObject(uri, MAX_MANIFEST_BYTES);
  const found: ManifestFile[] = [];
  for (const record of readAvro(bytes, uri, (field) => LIST_FIELDS.has(field))) {
    if (record.key_metadata != null) throw encrypted(uri);
    const length = record.manifest_length;
    found.push({
      uri: String(record.manifest_path),
      specId: Number(record.partition_spec_id ?? 0),
      lengthBytes: length == null ? null : Number(length),
      sequenceNumber: Number(record.sequence_number ?? 0),
    });
  }
  return found;
}
