/** Files of a table, as its metadata names them and as the object store lists them. */

/** What a reachable file is to its table. */
export type FileKind =
  | 'metadata'
  | 'metadata_log'
  | 'manifest_list'
  | 'manifest'
  | 'data'
  | 'position_deletes'
  | 'equality_deletes'
  | 'deletion_vector'
  | 'statistics'
  | 'partition_statistics'
  | 'version_hint';

/**
 * Kinds without which a table reads as well: earlier metadata files, which somebody may have
 * thinned out, and what catalogs of folders leave.
 */
export function isDispensable(kind: FileKind): boolean {
  return kind === 'metadata_log' || kind === 'version_hint';
}

/** An object as the store lists it. */
export interface StoredFile {
  /** `s3://bucket/key`, whatever scheme the table writes. */
  readonly uri: string;
  readonly sizeBytes: number;
  /** `null`: the store does not tell; then it is never an orphan. */
  readonly modifiedAtMs: number | null;
  readonly etag: string | null;
}
