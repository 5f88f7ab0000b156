/** Avro object containers, block by block: manifests, manifest lists, and data in Avro. */
import {
  type AvroCursor,
  type AvroNode,
  type AvroNodeField,
  parseAvroSchema,
  readLong,
  readValue,
} from './avro-values.ts';
import { type ByteSource, MAX_PIECE_BYTES } from './byte-source.ts';
import { unpackAvroBlock } from './codecs.ts';
import type { Hit } from './hit.ts';
import type { Look } from './look.ts';
import { bigEndian } from './parquet-values.ts';
import type { PlaceMatcher } from './place-matcher.ts';
import { createMatcher } from './place-values.ts';
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

/** Texts of the header: schema, properties. */
export function lookAtAvroHeader(file: AvroContainer, look: Look): void {
  for (const bytes of file.meta.values()) {
    look.wanted.texts.scan(bytes, 'text', (hit) => look.found(hit, 'text'));
  }
}

/** Looks at all of an Avro data or delete file. @returns rows */
export async function lookAtAvroData(
  source: ByteSource,
  file: AvroContainer,
  look: Look,
): Promise<number> {
  lookAtAvroHeader(file, look);
  const found = (hit: Hit) => look.found(hit, 'row');
  const visit = compileVisit(file.schema, undefined, [], look);
  let rows = 0;
  for await (const block of blocksOf(source, file)) {
    rows += block.records;
    const texts = look.wanted.texts.touches(block.bytes);
    for (const record of recordsOf(block, file.schema)) visit(record, texts, found);
  }
  return rows;
}

type Visit = (value: unknown, texts: boolean, found: (hit: Hit) => void) => void;

function compileVisit(
  node: AvroNode,
  fieldId: number | undefined,
  names: readonly string[],
  look: Look,
  partId?: number,
): Visit {
  switch (node.kind) {
    case 'record':
      return visitRecord(node.fields, names, look);
    case 'union': {
      const branches = node.parts.filter((one) => one.kind !== 'null');
      // Iceberg writes optional values only; of other unions each branch is tried.
      const visits = branches.map((one) => compileVisit(one, fieldId, names, look, partId));
      return (value, texts, found) => {
        if (value !== null) for (const visit of visits) visit(value, texts, found);
      };
    }
    case 'array':
    case 'map': {
      const visit = compileVisit(node.parts[0] as AvroNode, partId ?? fieldId, names, look);
      return (value, texts, found) => {
        for (const one of Array.isArray(value) ? value : []) {
          if (node.kind === 'array') visit(one, texts, found);
          else {
            look.wanted.texts.scan(one.key, 'text', found);
            visit(one.value, texts, found);
          }
        }
      };
    }
    default:
      return visitLeaf(node, fieldId, names, look);
  }
}

function visitRecord(
  fields: readonly AvroNodeField[],
  names: readonly string[],
  look: Look,
): Visit {
  const visits = fields.map((one) => {
    const visit = compileVisit(one.node, one.fieldId, [...names, one.name], look, one.partId);
    return [one.name, visit] as const;
  });
  return (value, texts, found) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, visit] of visits) {
      visit((value as Record<string, unknown>)[name], texts, found);
    }
  };
}

function visitLeaf(
  node: AvroNode,
  fieldId: number | undefined,
  names: readonly string[],
  look: Look,
): Visit {
  const place = look.places.find(fieldId, names);
  const matcher: PlaceMatcher | null = place === null ? null : createMatcher(place);
  const kind = node.kind === 'string' ? 'text' : 'binary';
  return (value, texts, found) => {
    if (Buffer.isBuffer(value)) {
      if (texts) look.wanted.texts.scan(value, kind, found);
      if (node.logicalType === 'decimal') matcher?.number(bigEndian(value), node.scale, found);
      else matcher?.text(value, found);
    } else if (typeof value === 'bigint' || Number.isInteger(value)) {
      matcher?.number(BigInt(value as number | bigint), 0, found);
    }
  };
}
