/** Manifests and manifest lists: partition values, column bounds, and the files that they name. */

import { lookAtAvroHeader } from './avro-data.ts';
import { type AvroContainer, blocksOf, recordsOf } from './avro-file.ts';
import type { AvroNode } from './avro-values.ts';
import type { ByteSource } from './byte-source.ts';
import type { Hit } from './hit.ts';
import { type How, type Look, lookAtTextBound, type Suspicion } from './look.ts';
import { bigEndian } from './parquet-values.ts';
import { FILE_PATH_ID, lookAtAssignments, lookAtPath } from './paths.ts';
import type { Found, NumberForm } from './place-matcher.ts';
import { matcherOf } from './place-values.ts';
import type { Place } from './places.ts';
import type { LakeTable, PartitionColumn } from './table-metadata.ts';
import { Unreadable } from './unreadable.ts';

export interface ManifestEntry {
  readonly uri: string;
  /** Deleted by this snapshot: the file may be gone, its bounds are not. */
  readonly isDeleted: boolean;
  readonly isDeletes: boolean;
  readonly partition: readonly unknown[];
  readonly lower: ReadonlyMap<number, Buffer>;
  readonly upper: ReadonlyMap<number, Buffer>;
}

/** A bound that a value which remains in this file would explain. */
export interface FileSuspicion extends Suspicion {
  readonly fieldId: number;
  readonly entry: ManifestEntry;
}

type Suspect = (suspicion: FileSuspicion) => void;

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
  // What is cut is looked at in the manifest, where the file is known whose value it is.
  if (column?.transform !== 'identity') return;
  for (const id of column.sourceIds) {
    const place = look.places.find(id, []);
    const found = (hit: Hit) => look.found(hit, 'partition');
    look.wanted.texts.scan(bound, 'text', found, place === null ? {} : { whole: place.whole });
    if (lookAtNumber(bound, id, look, table, 'partition') || place === null) continue;
    matcherOf(place).text(bound, found);
  }
}

/** @returns what it names; `suspect` is told of bounds that are cut */
export async function lookAtManifest(
  source: ByteSource,
  file: AvroContainer,
  look: Look,
  table: LakeTable,
  suspect: Suspect,
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
      const entry = entryOf(Number(outer(row, 0)), data, inner);
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

function entryOf(status: number, data: Row, field: FieldOf): ManifestEntry {
  if (field(data, 131) != null) throw new Unreadable('encrypted');
  return {
    uri: textOf(field(data, 100)),
    isDeleted: status === 2,
    isDeletes: Number(field(data, 134) ?? 0) !== 0,
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
  suspect: Suspect,
): void {
  lookAtPath(entry.uri, look);
  entry.partition.forEach((value, index) => {
    lookAtPartition(value, columns[index], look, table, (one) => suspect({ ...one, entry }));
  });
  for (const bounds of [entry.lower, entry.upper]) {
    for (const [fieldId, bound] of bounds) {
      if (fieldId === FILE_PATH_ID) lookAtAssignments(bound.toString(), look, 'bounds');
      if (lookAtNumber(bound, fieldId, look, table, 'bounds')) continue;
      lookAtTextBound(look, look.places.find(fieldId, []), bound, (one) =>
        suspect({ ...one, fieldId, entry }),
      );
    }
  }
}

function lookAtPartition(
  value: unknown,
  column: PartitionColumn | undefined,
  look: Look,
  table: LakeTable,
  suspect: (one: Omit<FileSuspicion, 'entry'>) => void,
): void {
  const found = (hit: Hit) => look.found(hit, 'partition');
  const isCut = column?.transform.startsWith('truncate') === true;
  if (Buffer.isBuffer(value) && !isCut) {
    const place = column === undefined ? null : look.places.find(column.sourceIds[0], []);
    look.wanted.texts.scan(value, 'text', found, place === null ? {} : { whole: place.whole });
  }
  for (const id of column?.sourceIds ?? []) {
    const place = look.places.find(id, []);
    if (Buffer.isBuffer(value) && isCut) {
      lookAtTextBound(look, place, value, (one) => suspect({ ...one, fieldId: id }));
    }
    if (place === null) continue;
    // Thousands of values share a hash, or a beginning.
    if (column?.transform !== 'identity') look.limited('hashed_partition');
    else matchPartition(value, typeOf(id, table), place, found);
  }
}

function matchPartition(value: unknown, type: string, place: Place, found: Found): void {
  if (Buffer.isBuffer(value)) {
    const isDecimal = type.startsWith('decimal');
    if (isDecimal) matcherOf(place).number(bigEndian(value), formOf(type), found);
    else matcherOf(place).text(value, found);
  } else if (typeof value === 'bigint' || Number.isInteger(value)) {
    matcherOf(place).number(BigInt(value as number | bigint), formOf(type), found);
  }
}

function typeOf(fieldId: number, table: LakeTable): string {
  return table.fields.findLast((one) => one.id === fieldId)?.type ?? '';
}

/** A value in Iceberg's single-value encoding. `false`: its column is none of numbers. */
function lookAtNumber(
  bound: Buffer,
  fieldId: number,
  look: Look,
  table: LakeTable,
  how: How,
): boolean {
  const type = typeOf(fieldId, table);
  const number = numberOf(bound, type);
  if (number === null) return false;
  const place = look.places.find(fieldId, []);
  const found = (hit: Hit) => look.found(hit, how);
  if (place !== null) matcherOf(place).number(number, formOf(type), found);
  return true;
}

/** `null`: no whole number or decimal. Values written before a widening are shorter. */
function numberOf(bound: Buffer, type: string): bigint | null {
  if (type.startsWith('decimal')) return bigEndian(bound);
  if (type !== 'int' && type !== 'long' && type !== 'date') return null;
  if (bound.length === 4) return BigInt(bound.readInt32LE());
  return bound.length === 8 ? bound.readBigInt64LE() : null;
}

function formOf(type: string): NumberForm {
  const [, scale] = /^decimal\(\s*\d+\s*,\s*(\d+)/.exec(type) ?? [];
  return { scale: Number(scale ?? 0), isDay: type === 'date' };
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
