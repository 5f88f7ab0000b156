/** A column chunk's pages, one after another, and the values that stand in one. */
import { crc32 } from 'node:zlib';
import type { ColumnChunk } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import type { ColumnDecoder, DecodedArray, PageHeader } from 'hyparquet/src/types.js';
import { type ByteSource, MAX_PIECE_BYTES } from './byte-source.ts';
import { Unreadable } from './unreadable.ts';

export interface ParquetPage {
  readonly header: PageHeader;
  /** As stored: packed. */
  readonly bytes: Uint8Array;
}

export interface ChunkRange {
  readonly start: number;
  readonly end: number;
}

/** Headers hold bounds of the page, so they may be long. */
const FIRST_HEADER_BYTES = 1_024;
const MAX_HEADER_BYTES = 2 ** 22;

/** @throws Unreadable for a chunk that lies in another file, or whose columns are encrypted */
export function chunkRange({
  meta_data: meta,
  file_path,
  crypto_metadata,
}: ColumnChunk): ChunkRange {
  if (crypto_metadata !== undefined) throw new Unreadable('encrypted');
  if (meta === undefined || file_path) throw new Unreadable('unknown_format');
  const offsets = [meta.data_page_offset, meta.dictionary_page_offset ?? 0n].map(Number);
  // Some writers say 0 where there is no dictionary, or where there are no rows.
  const start = Math.min(...offsets.filter((one) => one > 0));
  return { start, end: start + Number(meta.total_compressed_size) };
}

/**
 * Every page of a chunk, with its checksum verified where it has one.
 * @throws Unreadable `damaged`, also when pages hold less or more values than the chunk says
 */
export async function* pagesOf(
  source: ByteSource,
  chunk: ColumnChunk,
): AsyncGenerator<ParquetPage> {
  const { start, end } = chunkRange(chunk);
  let [at, values] = [start, 0];
  while (at < end) {
    const { header, length } = await headerAt(source, at, end);
    const size = header.compressed_page_size;
    if (!(size >= 0) || at + length + size > end) throw new Unreadable('damaged');
    if (header.uncompressed_page_size > MAX_PIECE_BYTES) throw new Unreadable('too_large');
    const bytes = await source.read(at + length, size);
    if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0)
      throw new Unreadable('damaged');
    values += header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values ?? 0;
    at += length + size;
    yield { header, bytes };
  }
  if (values !== Number(chunk.meta_data?.num_values)) throw new Unreadable('damaged');
}

async function headerAt(source: ByteSource, at: number, end: number) {
  for (let room = FIRST_HEADER_BYTES; ; room *= 8) {
    const length = Math.min(room, end - at);
    const bytes = await source.read(at, length);
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, length), offset: 0 };
    try {
      return { header: parquetHeader(reader), length: reader.offset };
    } catch {
      if (length === end - at || room > MAX_HEADER_BYTES) throw new Unreadable('damaged');
    }
  }
}

/** Values are places in the dictionary, which is looked at by itself. */
export function isOfDictionary({ header }: ParquetPage): boolean {
  const encoding = header.data_page_header?.encoding ?? header.data_page_header_v2?.encoding;
  return encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';
}

/** Texts share their beginnings with those before, or are cut into columns: bytes tell nothing. */
export function isInterleaved({ header }: ParquetPage): boolean {
  const encoding = header.data_page_header?.encoding ?? header.data_page_header_v2?.encoding;
  return encoding === 'DELTA_BYTE_ARRAY' || encoding === 'BYTE_STREAM_SPLIT';
}

/** The page's bytes, unpacked; of the second kind of data pages only the values. */
export function unpackPage({ header, bytes }: ParquetPage, decoder: ColumnDecoder): Uint8Array {
  const { codec } = decoder;
  checkCodec(codec);
  const v2 = header.data_page_header_v2;
  const levels =
    v2 === undefined ? 0 : v2.definition_levels_byte_length + v2.repetition_levels_byte_length;
  const values = bytes.subarray(levels);
  if (v2?.is_compressed === false) return values;
  const size = header.uncompressed_page_size - levels;
  if (values.length === 0 && size === 0) return values;
  return decompressPage(values, size, codec, decoder.compressors);
}

function checkCodec(codec: ColumnDecoder['codec']): void {
  if (codec === undefined || codec === 'LZO') throw new Unreadable('unknown_codec');
}

/** The values of a page that are no places in a dictionary; nulls are left out. */
export function valuesOf(page: ParquetPage, decoder: ColumnDecoder): DecodedArray {
  const { header, bytes } = page;
  checkCodec(decoder.codec);
  const {
    data_page_header: v1,
    data_page_header_v2: v2,
    dictionary_page_header: dictionary,
  } = header;
  if (v2 !== undefined) {
    if (v2.num_values === v2.num_nulls) return [];
    return complete(readDataPageV2(bytes, header, decoder).dataPage);
  }
  const unpacked = unpackPage(page, decoder);
  if (dictionary !== undefined) {
    const view = new DataView(unpacked.buffer, unpacked.byteOffset, unpacked.byteLength);
    const { type, element } = decoder;
    return readPlain({ view, offset: 0 }, type, dictionary.num_values, element.type_length);
  }
  if (v1 === undefined) throw new Unreadable('unknown_format');
  const levelled = decoder.schemaPath
    .slice(1)
    .some(({ element }) => element.repetition_type !== 'REQUIRED');
  if (levelled && v1.definition_level_encoding === 'BIT_PACKED')
    throw new Unreadable('unknown_codec');
  return complete(readDataPage(unpacked, v1, decoder).dataPage);
}

/** A page that ends too early would leave holes. */
function complete(values: DecodedArray): DecodedArray {
  if (Array.isArray(values) && values.length > 0 && values.at(-1) === undefined) {
    throw new Unreadable('damaged');
  }
  return values;
}
