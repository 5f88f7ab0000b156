/**
 * Looks at all of a Parquet file, data or deletes: bounds and texts of the footer, page headers,
 * dictionaries, values, page indexes, and the bytes that belong to none of them. Rows are not put
 * together: a value that is there is there, whichever row has it.
 */
import type { ColumnChunk } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import type { ColumnDecoder, PageHeader } from 'hyparquet/src/types.js';
import { type ByteSource, piecesOf } from './byte-source.ts';
import { beginsAnyValue } from './explain.ts';
import type { Hit } from './hit.ts';
import { type How, type Look, lookAtTextBound, type Suspicion } from './look.ts';
import {
  decoderOf,
  type ParquetFooter,
  type ParquetLeaf,
  readFooter,
  type Thrift,
} from './parquet-footer.ts';
import {
  chunkRange,
  isInterleaved,
  isOfDictionary,
  type ParquetPage,
  pagesOf,
  unpackPage,
  valuesOf,
} from './parquet-pages.ts';
import { bigEndian, isDecimal, type LeafLook, lookAtValues } from './parquet-values.ts';
import { lookAtAssignments } from './paths.ts';
import { PLAIN_NUMBER } from './place-matcher.ts';
import { matcherOf } from './place-values.ts';
import { Unreadable } from './unreadable.ts';

/** @returns rows of the file. @throws Unreadable, or anything for a damaged file */
export async function lookAtParquet(
  source: ByteSource,
  look: Look,
  progress: (rows: number) => void = () => undefined,
): Promise<number> {
  const footer = await readFooter(source);
  const leaves = footer.leaves.map((leaf): LeafLook => {
    return { leaf, place: look.places.find(leaf.fieldId, leaf.names) };
  });
  refuseVariants(leaves);
  const suspicions = new Map<ParquetLeaf, Suspicion[]>();
  const suspect =
    ({ leaf }: LeafLook) =>
    (one: Suspicion) => {
      suspicions.set(leaf, [...(suspicions.get(leaf) ?? []), one]);
    };
  lookAtFooterTexts(footer, look);
  for (const group of footer.metadata.row_groups) {
    for (const [index, chunk] of group.columns.entries()) {
      const leaf = leaves[index];
      if (leaf === undefined) throw new Unreadable('damaged');
      await lookAtChunk(source, chunk, leaf, look, suspect(leaf));
    }
    progress(Number(group.num_rows));
  }
  lookAtFooterBounds(footer, leaves, look, suspect);
  await lookBetween(source, footer, look);
  for (const [leaf, suspected] of suspicions) {
    const own = await beginsAnyValue(source, footer, leaf, suspected, look.wanted);
    suspected.forEach((one, at) => {
      if (own[at] !== true) look.found(one.hit, 'bounds');
    });
  }
  return Number(footer.metadata.num_rows);
}

/** A mapped column of type variant is binary, which is not compared by value. */
function refuseVariants(leaves: readonly LeafLook[]): void {
  const inVariant = ({ leaf }: LeafLook) =>
    leaf.schemaPath.some(({ element }) => element.logical_type?.type === 'VARIANT');
  if (leaves.some((one) => one.place !== null && inVariant(one))) {
    throw new Unreadable('unknown_format');
  }
}

async function lookAtChunk(
  source: ByteSource,
  chunk: ColumnChunk,
  leaf: LeafLook,
  look: Look,
  suspect: (suspicion: Suspicion) => void,
): Promise<void> {
  const decoder = decoderOf(leaf.leaf, chunk.meta_data?.codec as ColumnDecoder['codec']);
  let hasDictionary = false;
  for await (const page of pagesOf(source, chunk)) {
    hasDictionary ||= page.header.dictionary_page_header !== undefined;
    // Places in a dictionary that is not there: what they stand for, nobody has seen.
    if (!hasDictionary && isOfDictionary(page) && valuesOf(page, decoder).length > 0) {
      throw new Unreadable('damaged');
    }
    lookAtPageBounds(page.header, leaf, look, suspect);
    lookAtPage(page, decoder, leaf, look);
  }
  const { column_index_offset: at, column_index_length: length } = chunk;
  if (at !== undefined && length !== undefined && length > 0) {
    const bytes = await source.read(Number(at), length);
    const index = thriftOf(bytes);
    for (const bound of [...listOf(index.field_2), ...listOf(index.field_3)]) {
      lookAtBound(bound, leaf, look, suspect);
    }
  }
  // Says of a value that it may be there: of any value, now and then.
  if (chunk.meta_data?.bloom_filter_offset !== undefined) look.limited('bloom_filter');
}

function thriftOf(bytes: Uint8Array): Thrift {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return deserializeTCompactProtocol({ view, offset: 0 }) as Thrift;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function lookAtPage(page: ParquetPage, decoder: ColumnDecoder, leaf: LeafLook, look: Look): void {
  const isDictionary = page.header.dictionary_page_header !== undefined;
  if (page.header.index_page_header !== undefined) return;
  if (!isDictionary && isOfDictionary(page)) return;
  const isBytes = decoder.type === 'BYTE_ARRAY' || decoder.type === 'FIXED_LEN_BYTE_ARRAY';
  if (!isBytes && leaf.place === null) return;
  // The bytes of all values stand there as they are: one look at all of them is mostly enough.
  const texts =
    isBytes && (isInterleaved(page) || look.wanted.texts.touches(unpackPage(page, decoder)));
  if (!texts && leaf.place === null && !leaf.leaf.isPath) return;
  const how: How = isDictionary ? 'dictionary' : 'row';
  lookAtValues(valuesOf(page, decoder), { ...leaf, texts }, look, how);
}

function lookAtPageBounds(
  { data_page_header: v1, data_page_header_v2: v2 }: PageHeader,
  leaf: LeafLook,
  look: Look,
  suspect: (suspicion: Suspicion) => void,
): void {
  const statistics = v1?.statistics ?? v2?.statistics;
  if (statistics === undefined) return;
  const { min, max, min_value, max_value } = statistics;
  for (const bound of [min, max, min_value, max_value]) lookAtBound(bound, leaf, look, suspect);
}

function lookAtBound(
  bound: unknown,
  { leaf, place }: LeafLook,
  look: Look,
  suspect: (suspicion: Suspicion) => void,
): void {
  if (!(bound instanceof Uint8Array)) return;
  const found = (hit: Hit) => look.found(hit, 'bounds');
  const view = new DataView(bound.buffer, bound.byteOffset, bound.byteLength);
  const matcher = place === null ? null : matcherOf(place);
  const { element, form } = leaf;
  if (element.type === 'INT32' && bound.length === 4) {
    matcher?.number(BigInt(view.getInt32(0, true)), form, found);
  } else if (element.type === 'INT64' && bound.length === 8) {
    matcher?.number(view.getBigInt64(0, true), form, found);
  } else if (/^(FLOAT|DOUBLE)$/.test(element.type ?? '')) {
    const value = bound.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    if (Number.isInteger(value)) matcher?.number(BigInt(value), PLAIN_NUMBER, found);
  } else if (isDecimal(leaf)) {
    matcher?.number(bigEndian(bound), form, found);
  } else {
    // One of JSON is cut JSON, whose fields cannot be read.
    lookAtTextBound(look, place, bound, suspect, leaf.isText ? 'text' : 'binary');
    if (leaf.isPath) lookAtAssignments(Buffer.from(bound).toString(), look, 'bounds');
  }
}

/** Of every column chunk, the minimum and maximum that its writer noted. */
function lookAtFooterBounds(
  { raw }: ParquetFooter,
  leaves: readonly LeafLook[],
  look: Look,
  suspect: (leaf: LeafLook) => (suspicion: Suspicion) => void,
): void {
  for (const group of listOf(raw.field_4)) {
    for (const [index, column] of listOf((group as Thrift).field_1).entries()) {
      const meta = (column as Thrift).field_3 as Thrift | undefined;
      const statistics = meta?.field_12 as Thrift | undefined;
      const leaf = leaves[index];
      if (statistics === undefined || leaf === undefined) continue;
      for (const field of ['field_1', 'field_2', 'field_5', 'field_6']) {
        lookAtBound(statistics[field], leaf, look, suspect(leaf));
      }
    }
  }
}

/** Names, properties of the file and of its columns: all that is text and no bound. */
function lookAtFooterTexts({ raw }: ParquetFooter, look: Look): void {
  const visit = (value: unknown, isStatistics: boolean): void => {
    if (isStatistics) return;
    if (value instanceof Uint8Array) {
      look.wanted.texts.scan(value, 'text', (hit) => look.found(hit, 'text'));
    } else if (typeof value === 'object' && value !== null) {
      const isColumn = 'field_9' in value && 'field_3' in value && Array.isArray(value.field_3);
      for (const [name, part] of Object.entries(value))
        visit(part, isColumn && name === 'field_12');
    }
  };
  visit(raw, false);
}

/** Bytes that nothing points to; padding, as a rule. */
async function lookBetween(source: ByteSource, footer: ParquetFooter, look: Look): Promise<void> {
  if (look.wanted.texts.overlapBytes === 0) return;
  const taken = footer.metadata.row_groups
    .flatMap((group) => group.columns)
    .flatMap((chunk) => [
      chunkRange(chunk),
      rangeOf(chunk.column_index_offset, chunk.column_index_length),
      rangeOf(chunk.offset_index_offset, chunk.offset_index_length),
    ])
    .filter((range) => range.end > range.start)
    .sort((left, right) => left.start - right.start);
  let at = 4;
  for (const range of [...taken, { start: footer.start, end: source.size }]) {
    for await (const piece of piecesOf(source, look.wanted.texts.overlapBytes, at, range.start)) {
      const found = (hit: Hit) => look.found(hit, 'text');
      look.wanted.texts.scan(piece.bytes, 'binary', found, { piece });
    }
    at = Math.max(at, range.end);
  }
}

function rangeOf(offset: bigint | undefined, length: number | undefined) {
  const start = Number(offset ?? 0);
  return { start, end: start + (length ?? 0) };
}
