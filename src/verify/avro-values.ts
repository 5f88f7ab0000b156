/**
 * Avro's schemas and values: the second reader's own, apart from the reader of health.
 * Values come as objects; 64-bit integers beyond 2^53 as `bigint`, bytes and texts as `Buffer`.
 */
import { Unreadable } from './unreadable.ts';

export interface AvroNode {
  readonly kind: string;
  /** Of a record. */
  readonly fields: readonly AvroNodeField[];
  /** Of a union: its branches; of an array or map: its one part. */
  readonly parts: readonly AvroNode[];
  /** Of a fixed: bytes. */
  readonly size: number;
  readonly name: string;
  readonly logicalType: string | undefined;
  /** Of a decimal. */
  readonly scale: number;
}

export interface AvroNodeField {
  readonly name: string;
  readonly fieldId: number | undefined;
  readonly node: AvroNode;
  /** Of an array's element, or a map's value. */
  readonly partId: number | undefined;
  /** Of a map's key. */
  readonly keyId: number | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** @throws Unreadable for a schema that is none */
export function parseAvroSchema(text: string): AvroNode {
  return nodeOf(JSON.parse(text), new Map());
}

const PRIMITIVE = /^(null|boolean|int|long|float|double|bytes|string)$/;

function nodeOf(schema: unknown, names: Map<string, AvroNode>): AvroNode {
  if (Array.isArray(schema)) {
    return leaf('union', { parts: schema.map((one) => nodeOf(one, names)) });
  }
  if (typeof schema === 'string') {
    if (PRIMITIVE.test(schema)) return leaf(schema, {});
    const known = names.get(schema);
    if (known === undefined) throw new Unreadable('damaged');
    return known;
  }
  const json = schema as Json;
  if (typeof json.type === 'object') return nodeOf(json.type, names);
  const kind = String(json.type);
  const logicalType = json.logicalType === undefined ? undefined : String(json.logicalType);
  const scale = Number(json.scale ?? 0);
  switch (kind) {
    case 'record':
      return recordOf(json, names);
    case 'array':
    case 'map':
      return leaf(kind, { parts: [nodeOf(json.items ?? json.values, names)], logicalType });
    case 'fixed':
    case 'enum':
      return named(json, names, leaf(kind, { size: Number(json.size ?? 0), logicalType, scale }));
    default:
      return { ...(nodeOf(kind, names) as AvroNode), logicalType, scale };
  }
}

function leaf(kind: string, more: Partial<AvroNode>): AvroNode {
  const none = { fields: [], parts: [], size: 0, name: '', logicalType: undefined, scale: 0 };
  return { kind, ...none, ...more };
}

function named(json: Json, names: Map<string, AvroNode>, node: AvroNode): AvroNode {
  names.set(String(json.name), node);
  if (json.namespace !== undefined) names.set(`${json.namespace}.${json.name}`, node);
  return node;
}

function recordOf(json: Json, names: Map<string, AvroNode>): AvroNode {
  const fields: AvroNodeField[] = [];
  const node = named(json, names, leaf('record', { fields, name: String(json.name) }));
  for (const one of (json.fields ?? []) as readonly Json[]) {
    const id = one['field-id'];
    fields.push({
      name: String(one.name),
      fieldId: id === undefined ? undefined : Number(id),
      node: nodeOf(one.type, names),
      partId: partIdOf(one.type, ['element-id', 'value-id']),
      keyId: partIdOf(one.type, ['key-id']),
    });
  }
  return node;
}

function partIdOf(type: unknown, names: readonly string[]): number | undefined {
  const branches = (Array.isArray(type) ? type : [type]) as readonly (Json | string | null)[];
  for (const one of branches) {
    if (typeof one !== 'object' || one === null) continue;
    const id = names.map((name) => one[name]).find((value) => value !== undefined);
    if (id !== undefined) return Number(id);
  }
  return undefined;
}

export interface AvroCursor {
  readonly bytes: Buffer;
  at: number;
}

/** @throws Unreadable `damaged` beyond the end of the bytes */
export function readValue(cursor: AvroCursor, node: AvroNode): unknown {
  switch (node.kind) {
    case 'null':
      return null;
    case 'boolean':
      return take(cursor, 1)[0] === 1;
    case 'int':
    case 'long':
    case 'enum':
      return readLong(cursor);
    case 'float':
      return take(cursor, 4).readFloatLE();
    case 'double':
      return take(cursor, 8).readDoubleLE();
    case 'bytes':
    case 'string':
      return take(cursor, Number(readLong(cursor)));
    case 'fixed':
      return take(cursor, node.size);
    case 'record':
      return Object.fromEntries(node.fields.map((one) => [one.name, readValue(cursor, one.node)]));
    case 'array':
      return readItems(cursor, () => readValue(cursor, node.parts[0] as AvroNode));
    case 'map':
      return readItems(cursor, () => {
        const key = take(cursor, Number(readLong(cursor)));
        return { key, value: readValue(cursor, node.parts[0] as AvroNode) };
      });
    case 'union': {
      const branch = node.parts[Number(readLong(cursor))];
      if (branch === undefined) throw new Unreadable('damaged');
      return readValue(cursor, branch);
    }
  }
  throw new Unreadable('unknown_format');
}

function take(cursor: AvroCursor, size: number): Buffer {
  const end = cursor.at + size;
  if (!(size >= 0) || end > cursor.bytes.length) throw new Unreadable('damaged');
  const bytes = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return bytes;
}

/** Exact: a number where that is, else a `bigint`. */
export function readLong(cursor: AvroCursor): number | bigint {
  let [value, shift] = [0n, 0n];
  let small = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new Unreadable('damaged');
    if (index < 4) small |= (byte & 0x7f) << (7 * index);
    else {
      if (index === 4) value = BigInt(small);
      value |= BigInt(byte & 0x7f) << (28n + shift);
      shift += 7n;
    }
    if (byte >= 0x80) continue;
    if (index < 4) return (small >>> 1) ^ -(small & 1);
    const exact = BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    const near = Number(exact);
    return Number.isSafeInteger(near) ? near : exact;
  }
  throw new Unreadable('damaged');
}

function readItems<T>(cursor: AvroCursor, read: () => T): readonly T[] {
  const items: T[] = [];
  for (;;) {
    let count = Number(readLong(cursor));
    if (count === 0) return items;
    if (count < 0) {
      count = -count;
      readLong(cursor);
    }
    // Every item but null takes a byte: a damaged count may be as large as it likes.
    if (count > cursor.bytes.length) throw new Unreadable('damaged');
    for (let index = 0; index < count; index += 1) items.push(read());
  }
}
