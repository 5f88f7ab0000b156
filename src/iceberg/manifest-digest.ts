/** What is kept of a manifest: some 30 bytes for each of its live files. */
import { deserialize, serialize } from 'node:v8';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

export const FILE_KINDS = [
  'data',
  'position_deletes',
  'equality_deletes',
  'deletion_vector',
] as const;
/** A deletion vector is a position delete (as `content` says) in a Puffin file. */
export type FileKind = (typeof FILE_KINDS)[number];

/** A manifest is immutable: its digest is made once and stays true. All arrays go by file. */
export interface ManifestDigest {
  readonly specId: number;
  /** Indices of {@link FILE_KINDS}. */
  readonly kinds: Uint8Array;
  /** Of a deletion vector its own part of the Puffin file. */
  readonly bytes: Float64Array;
  readonly records: Float64Array;
  /** Sequence number of the snapshot that added each; 0: not told. */
  readonly addedIn: Uint32Array;
  /** Indices of `partitions`. */
  readonly partitionOf: Uint32Array;
  /** Values in the order of the spec's fields, printed. */
  readonly partitions: readonly (readonly (string | null)[])[];
  readonly columns: readonly ColumnBounds[];
}

/** Smallest and largest value of one column in each file. */
export interface ColumnBounds {
  readonly fieldId: number;
  readonly lower: BoundValues;
  readonly upper: BoundValues;
}

/**
 * Numbers (`NaN`: the file has no bound), or {@link PREFIX_BYTES} of each value, those of files
 * without a bound being all zero in `lower` and in `upper`.
 */
export type BoundValues = Float64Array | Uint8Array;

/** Iceberg cuts the bounds of text and binary columns at 16 characters. */
export const PREFIX_BYTES = 16;

/** Raised when digests change their meaning: what was stored before is made anew. */
export const DIGEST_FORMAT = 2;

/** In `addedIn`: the sequence number is that of the manifest, as its list has it. */
export const INHERITED = 2 ** 32 - 1;

/** For the ledger. */
export function encodeDigest(digest: ManifestDigest): Buffer {
  return zstdCompressSync(serialize(digest));
}

/** `null`: it cannot be read, and the manifest has to be. */
export function decodeDigest(bytes: Buffer): ManifestDigest | null {
  try {
    const unpacked = zstdDecompressSync(bytes);
    // The arrays are views on what they are read from: zlib's chunk is larger than what is in it.
    const own = Buffer.allocUnsafeSlow(unpacked.length);
    unpacked.copy(own);
    return deserialize(own) as ManifestDigest;
  } catch {
    return null;
  }
}

/** Memory that a digest takes, nearly. */
export function digestBytes(digest: ManifestDigest): number {
  const { kinds, bytes, records, addedIn, partitionOf, partitions, columns } = digest;
  const bounds = columns.reduce((sum, one) => sum + one.lower.byteLength + one.upper.byteLength, 0);
  const texts = partitions.length * (60 + 30 * (partitions[0]?.length ?? 0));
  const arrays = [kinds, bytes, records, addedIn, partitionOf].reduce(
    (sum, one) => sum + one.byteLength,
    0,
  );
  return arrays + bounds + texts + 500;
}

/** Whether the digest has the bounds of all these columns. */
export function hasColumns(digest: ManifestDigest, fieldIds: readonly number[]): boolean {
  return fieldIds.every((id) => digest.columns.some((one) => one.fieldId === id));
}
