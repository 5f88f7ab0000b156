/** Avro object containers, block by block. */
import {
  type AvroCursor,
  type AvroNode,
  parseAvroSchema,
  readLong,
  readValue,
} from './avro-values.ts';
import { type ByteSource, MAX_PIECE_BYTES } from './byte-source.ts';
import { unpackAvroBlock } from './codecs.ts';
import { Unreadable } from './unreadable.ts';

export interface AvroContainer {
  readonly schema: AvroNode;
  readonly codec: string;
  readonly meta: ReadonlyMap<string, Buffer>;
  readonly sync: Buffer;
  /** Where the first block begins. */
  readonly start: number;
}

export interface AvroBlock {
  readonly records: number;
  /** Unpacked. */
  readonly bytes: Buffer;
}

const META: AvroNode = parseAvroSchema('{"type":"map","values":"bytes"}');
const FIRST_HEADER_BYTES = 16 * 1_024;
const SYNC_BYTES = 16;

export async function openAvro(source: ByteSource): Promise<AvroContainer> {
  const magic = (await source.read(0, Math.min(4, source.size))).toString('latin1');
  // What Iceberg's own encryption puts before a file.
  if (magic === 'AGS1') throw new Unreadable('encrypted');
  if (magic !== 'Obj\u0001') throw new Unreadable('damaged');
  for (let room = FIRST_HEADER_BYTES; ; room *= 8) {
    const length = Math.min(room, source.size);
    const cursor: AvroCursor = { bytes: await source.read(0, length), at: 4 };
    try {
      const entries = readValue(cursor, META) as readonly { key: Buffer; value: Buffer }[];
      const sync = Buffer.from(cursor.bytes.subarray(cursor.at, cursor.at + SYNC_BYTES));
      if (sync.length < SYNC_BYTES) throw new Unreadable('damaged');
      const meta = new Map(entries.map((one) => [one.key.toString(), Buffer.from(one.value)]));
      const schema = parseAvroSchema(meta.get('avro.schema')?.toString() ?? '');
      const codec = meta.get('avro.codec')?.toString() ?? 'null';
      return { schema, codec, meta, sync, start: cursor.at + SYNC_BYTES };
    } catch (cause) {
      if (length === source.size || room > MAX_PIECE_BYTES) throw cause;
    }
  }
}

/** @throws Unreadable `damaged` for blocks that do not end where they should */
export async function* blocksOf(
  source: ByteSource,
  file: AvroContainer,
): AsyncGenerator<AvroBlock> {
  for (let at = file.start; at < source.size; ) {
    const cursor: AvroCursor = {
      bytes: await source.read(at, Math.min(20, source.size - at)),
      at: 0,
    };
    const records = Number(readLong(cursor));
    const size = Number(readLong(cursor));
    const start = at + cursor.at;
    if (!(records >= 0) || !(size >= 0)) throw new Unreadable('damaged');
    const packed = await source.read(start, size + SYNC_BYTES);
    if (!packed.subarray(size).equals(file.sync)) throw new Unreadable('damaged');
    at = start + size + SYNC_BYTES;
    yield {
      records,
      bytes: unpackAvroBlock(packed.subarray(0, size), file.codec, MAX_PIECE_BYTES),
    };
  }
}

/** @throws Unreadable `damaged` for a block that holds more or less than it says */
export function* recordsOf(block: AvroBlock, schema: AvroNode): Generator<Record<string, unknown>> {
  const cursor: AvroCursor = { bytes: block.bytes, at: 0 };
  for (let index = 0; index < block.records; index += 1) {
    yield readValue(cursor, schema) as Record<string, unknown>;
  }
  if (cursor.at !== block.bytes.length) throw new Unreadable('damaged');
}
