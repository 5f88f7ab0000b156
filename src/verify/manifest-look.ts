/** Manifests and manifest lists: partition values, column bounds, and the files that they name. */

import { type AvroContainer, blocksOf, lookAtAvroHeader, recordsOf } from './avro-file.ts';
import type { AvroNode } from './avro-values.ts';
import type { ByteSource } from './byte-source.ts';
import type { Hit } from './hit.ts';
import { type How, type Look, lookAtTextBound, type Suspicion } from './look.ts';
import { bigEndian } from './parquet-values.ts';
import { lookAtPath } from './paths.ts';
import { createMatcher } from './place-values.ts';
import type { LakeTable, PartitionColumn } from './table-metadata.ts';
import { Unreadable } from './unreadable.ts';

export interface ManifestEntry {
  readonly uri: string;
  /** Deleted by this snapshot: the file may be gone, its bounds are not. */
  readonly isDeleted: boolean;
  readonly isDeletes: boolean;
  readonly specId: number;
  readonly partition: readonly unknown[];
  readonly lower: ReadonlyMap<number, Buffer>;
  readonly upper: ReadonlyMap<number, Buffer>;
}

/** A bound that a value which remains in this file would explain. */
export interface FileSuspicion extends Suspicion {
  readonly fieldId: number;
  readonly entry: ManifestEntry;
}

type Row = Readonly<Record<string, unknown>>;

/** @returns addresses of the manifests */
export async function lookAtManifestList(
  source: ByteSource,
  file: AvroContainer,
  look: Look,
  table: LakeTable,
): Promise<readonly string[]> {
  lookAtAvroHeader(file, look);
  const field = fieldsById(file.schema);
  const found: string[] = [];
  for await (const block of blocksOf(source, file)) {
    for (const row of recordsOf(block, file.schema)) {
      if (field(row, 519) != null) throw new Unreadable('encrypted');
      const uri = textOf(field(row, 500));
      found.push(uri);
      lookAtPath(uri, look);
      const columns = table.specs.get(Number(field(row, 502) ?? 0)) ?? [];
      const summaries = (field(row, 507) ?? []) as readonly Row[];
      summaries.forEach((summary, index) => {
        const bounds = [summary.lower_bound, summary.upper_bound];
        for (const bound of bounds) lookAtSummary(bound, columns[index], look, table);
      });
    }
  }
  return found;
}

/** A value of some file's partition, in Iceberg's single-value encoding. */
function lookAtSummary(
  bound: unknown,
  column: PartitionColumn | undefined,
  look: Look,
  table: LakeTable,
): void {
  if (!Buffer.isBuffer(bound)) return;
  look.wanted.texts.scan(bound, 'text', (hit) => look.found(hit, 'partition'));
  if (column?.transform !== 'identity') return;
  for (const id of column.sourceIds) {
    lookAtTyped(bound, id, look, table, 'partition');
  }
}

/** @returns what it names; `suspect` is told of bounds that are cut */
export async function lookAtManifest(
  source: ByteSource,
  file: AvroContainer,
  look: Look,
  table: LakeTable,
  suspect: (suspicion: FileSuspicion) => void,
): Promise<readonly ManifestEntry[]> {
  lookAtAvroHeader(file, look);
  const specId = Number(file.meta.get('partition-spec-id')?.toString() ?? 0);
  const columns = table.specs.get(specId) ?? [];
  const outer = fieldsById(file.schema);
  const fileNode = file.schema.fields.find((one) => (one.fieldId ?? 2) === 2 && isRecord(one.node));
  if (fileNode === undefined) throw new Unreadable('damaged');
  const inner = fieldsById(fileNode.node);
  const entries: ManifestEntry[] = [];
  for await (const block of blocksOf(source, file)) {
    for (const row of recordsOf(block, file.schema)) {
      const data = row[fileNode.name] as Row;
      const entry = entryOf(Number(outer(row, 0)), data, inner, specId);
      entries.push(entry);
      lookAtEntry(entry, columns, look, table, suspect);
      const referenced = inner(data, 143);
      if (referenced != null) lookAtPath(textOf(referenced), look);
    }
  }
  return entries;
}

function isRecord(node: AvroNode): boolean {
  return node.kind === 'record';
}

function entryOf(status: number, data: Row, field: FieldOf, specId: number): ManifestEntry {
  if (field(data, 131) != null) throw new Unreadable('encrypted');
  return {
    uri: textOf(field(data, 100)),
    isDeleted: status === 2,
    isDeletes: Number(field(data, 134) ?? 0) !== 0,
    specId,
    partition: Object.values((field(data, 102) ?? {}) as Row),
    lower: boundsOf(field(data, 125)),
    upper: boundsOf(field(data, 128)),
  };
}

function boundsOf(pairs: unknown): ReadonlyMap<number, Buffer> {
  const list = Array.isArray(pairs) ? (pairs as readonly Row[]) : [];
  return new Map(list.map(({ key, value }) => [Number(key), value as Buffer]));
}

function lookAtEntry(
  entry: ManifestEntry,
  columns: readonly PartitionColumn[],
  look: Look,
  table: LakeTable,
  suspect: (suspicion: FileSuspicion) => void,
): void {
  lookAtPath(entry.uri, look);
  entry.partition.forEach((value, index) => {
    lookAtPartition(value, columns[index], look);
  });
  for (const bounds of [entry.lower, entry.upper]) {
    for (const [fieldId, bound] of bounds) {
      lookAtTyped(bound, fieldId, look, table, 'bounds');
      lookAtTextBound(look, look.places.find(fieldId, []), bound, (one) =>
        suspect({ ...one, fieldId, entry }),
      );
    }
  }
}

function lookAtPartition(value: unknown, column: PartitionColumn | undefined, look: Look): void {
  const found = (hit: Hit) => look.found(hit, 'partition');
  if (Buffer.isBuffer(value)) look.wanted.texts.scan(value, 'text', found);
  for (const id of column?.sourceIds ?? []) {
    const place = look.places.find(id, []);
    if (place === null) continue;
    // A bucket is a hash: thousands of values share it.
    if (column?.transform !== 'identity') look.limited('hashed_partition');
    else {
      const matcher = createMatcher({ direct: place.direct, json: [] });
      if (Buffer.isBuffer(value)) matcher.text(value, found);
      else if (typeof value === 'bigint' || Number.isInteger(value)) {
        matcher.number(BigInt(value as number | bigint), 0, found);
      }
    }
  }
}

/** A value in Iceberg's single-value encoding, compared where its column is mapped. */
function lookAtTyped(bound: Buffer, fieldId: number, look: Look, table: LakeTable, how: How): void {
  const place = look.places.find(fieldId, []);
  if (place === null || place.direct.length === 0) return;
  const matcher = createMatcher({ direct: place.direct, json: [] });
  const found = (hit: Hit) => look.found(hit, how);
  const type = table.fields.findLast((one) => one.id === fieldId)?.type ?? '';
  const number = numberOf(bound, type);
  if (number !== null) matcher.number(number, scaleOf(type), found);
  else matcher.text(bound, found);
}

/** `null`: no whole number or decimal. Values written before a widening are shorter. */
export function numberOf(bound: Buffer, type: string): bigint | null {
  if (type.startsWith('decimal')) return bigEndian(bound);
  if (type !== 'int' && type !== 'long') return null;
  if (bound.length === 4) return BigInt(bound.readInt32LE());
  return bound.length === 8 ? bound.readBigInt64LE() : null;
}

function scaleOf(type: string): number {
  return Number(/^decimal\(\s*\d+\s*,\s*(\d+)/.exec(type)?.[1] ?? 0);
}

type FieldOf = (row: Row, id: number) => unknown;

/** Iceberg's names of the fields, for writers that leave the ids out. */
const NAMES: Readonly<Record<number, string>> = {
  0: 'status',
  100: 'file_path',
  102: 'partition',
  125: 'lower_bounds',
  128: 'upper_bounds',
  131: 'key_metadata',
  134: 'content',
  143: 'referenced_data_file',
  500: 'manifest_path',
  502: 'partition_spec_id',
  507: 'partitions',
  519: 'key_metadata',
};

function fieldsById(node: AvroNode): FieldOf {
  const names = new Map(node.fields.map((one) => [one.fieldId, one.name]));
  return (row, id) => row[names.get(id) ?? NAMES[id] ?? ''];
}

function textOf(value: unknown): string {
  if (!Buffer.isBuffer(value)) throw new Unreadable('damaged');
  return value.toString('utf8');
}
