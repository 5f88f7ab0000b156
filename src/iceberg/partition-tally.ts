/** What is gathered of each partition while manifests are read. */
import type { Clustering, PartitionHealth } from '../domain/health/health.ts';
import type { PartitionKey } from '../domain/operation.ts';
import { writtenByOthers } from '../domain/watermark.ts';
import { clusteringOf, depthsOf, type FileRanges } from './clustering.ts';
import { INHERITED, type ManifestDigest } from './manifest-digest.ts';
import type { SortColumn, TableMetadata } from './metadata.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
export type Partition = Writable<PartitionHealth>;

/** A partition of which nothing is counted yet. */
export function newPartition(
  { specs }: TableMetadata,
  specId: number,
  values: readonly (string | null)[],
): Partition {
  const fields = specs.get(specId)?.fields ?? [];
  const key: PartitionKey = fields.map(({ source, sourceType, transform }, at) => ({
    source: source ?? '',
    sourceType: sourceType ?? 'unknown',
    transform,
    value: values[at] ?? null,
  }));
  return {
    partition: Object.fromEntries(fields.map(({ name }, at) => [name, values[at] ?? null])),
    dataFiles: 0,
    totalBytes: 0,
    smallFiles: 0,
    smallBytes: 0,
    deleteFiles: 0,
    specId,
    key,
    clustering: [],
    newestSequence: null,
    writtenByOthersAtMs: null,
  };
}

/** When others wrote, by the sequence number of their snapshot. */
export type Writes = ReadonlyMap<number, number>;

/** Of all snapshots that the metadata still have. */
export function writesOf({ snapshots }: TableMetadata): Writes {
  return new Map(
    snapshots
      .filter((one) => one.sequenceNumber > 0 && writtenByOthers(one))
      .map((one) => [one.sequenceNumber, one.committedAtMs]),
  );
}

/** @param listed the sequence number of the file's manifest */
export function noteFile(
  partition: Partition,
  addedIn: number,
  listed: number,
  writes: Writes,
): void {
  const sequence = addedIn === INHERITED ? listed : addedIn;
  if (sequence === 0) return;
  partition.newestSequence = Math.max(partition.newestSequence ?? 0, sequence);
  const atMs = writes.get(sequence);
  if (atMs === undefined) return;
  partition.writtenByOthersAtMs = Math.max(partition.writtenByOthersAtMs ?? 0, atMs);
}

/** Data files and deletes of a manifest, with the place of each file's partition in the table. */
export interface Chunk {
  readonly digest: ManifestDigest;
  readonly partitionOf: Uint32Array;
}

/** Fills `clustering` of every partition; answers that of the table in the `shown` columns. */
export function noteClustering(
  chunks: readonly Chunk[],
  partitions: readonly Partition[],
  columns: readonly SortColumn[],
  shown: readonly SortColumn[],
): readonly Clustering[] {
  const places = joined(chunks);
  return columns.flatMap((column) => {
    const ranges = rangesOf(chunks, column);
    for (const [place, { depth }] of depthsOf(ranges, places) ?? []) {
      const partition = partitions[place] as Partition;
      const one = { column: column.name, depth };
      if (Number.isFinite(depth)) partition.clustering = [...partition.clustering, one];
    }
    const isShown = shown.some(({ fieldId }) => fieldId === column.fieldId);
    return isShown ? (clusteringOf(ranges, places) ?? []) : [];
  });
}

function rangesOf(chunks: readonly Chunk[], column: SortColumn): FileRanges {
  const sides = chunks.flatMap(({ digest }) => {
    return digest.columns.find((one) => one.fieldId === column.fieldId) ?? [];
  });
  return {
    column,
    lower: sides.map((one) => one.lower),
    upper: sides.map((one) => one.upper),
  };
}

function joined(chunks: readonly Chunk[]): Uint32Array {
  const all = new Uint32Array(chunks.reduce((count, one) => count + one.partitionOf.length, 0));
  let at = 0;
  for (const { partitionOf } of chunks) {
    all.set(partitionOf, at);
    at += partitionOf.length;
  }
  return all;
}
