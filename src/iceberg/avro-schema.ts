import type { AvroCursor } from './avro-cursor.ts';

/** A writer's schema, as its JSON says it. */
export type AvroSchema =
  | string
  | readonly AvroSchema[]
  | {
      readonly type: AvroSchema;
      readonly name?: string;
      readonly namespace?: string;
      readonly fields?: readonly AvroField[];
      readonly items?: AvroSchema;
      readonly values?: AvroSchema;
      readonly size?: number;
      readonly symbols?: readonly string[];
    };

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  /** Iceberg's id, where its writer gives one. */
  readonly 'field-id'?: number;
}

export type Read = (cursor: AvroCursor) => unknown;
export type Skip = (cursor: AvroCursor) => void;

/** Named types by name: a schema may name again what it has defined before. */
type Names = Map<string, AvroSchema>;

/**
 * A function that reads one value: records as objects with only the fields that `keep` wants,
 * 64-bit integers as `bigint`, bytes and fixed as views of the block.
 * @throws Error for a schema that is none
 */
export function readerOf(schema: AvroSchema, keep: (name: string) => boolean = () => true): Read {
  return compileRead(schema, new Map(), keep);
}

/** A function that passes over one value without building it. */
export function skipperOf(schema: AvroSchema): Skip {
  return compileSkip(schema, new Map());
}

/** The schema in a union with null, or the schema itself; `nullAt`: null's place, -1 for none. */
export function unwrapOptional(schema: AvroSchema): {
  readonly inner: AvroSchema;
  readonly nullAt: number;
} {
  if (!isUnion(schema)) return { inner: schema, nullAt: -1 };
  const nullAt = schema.indexOf('null');
  const inner = schema.find((one) => one !== 'null');
  if (inner === undefined || schema.length !== 2 || nullAt < 0) {
    return { inner: schema, nullAt: -1 };
  }
  return { inner, nullAt };
}

/** `record`, `array`, `long`, …: also of `{"type": "long", "logicalType": …}`. */
export function kindOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  if (isUnion(schema)) return 'union';
  return kindOf(schema.type);
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

interface Complex {
  readonly fields: readonly AvroField[];
  readonly items: AvroSchema;
  readonly values: AvroSchema;
  readonly size: number;
  readonly symbols: readonly string[];
}

/** Attributes of a complex type; what is missing shows where it is used. */
function complex(schema: AvroSchema): Complex {
  return schema as unknown as Complex;
}

/** Follows a name to its definition, and remembers a definition under its name. */
function resolve(schema: AvroSchema, names: Names): AvroSchema {
  if (typeof schema === 'string') return names.get(schema) ?? schema;
  if (isUnion(schema)) return schema;
  if (typeof schema.type === 'object') return resolve(schema.type, names);
  if (schema.name !== undefined) {
    names.set(schema.name, schema);
    if (schema.namespace !== undefined) names.set(`${schema.namespace}.${schema.name}`, schema);
  }
  return schema;
}

function compileSkip(named: AvroSchema, names: Names): Skip {
  const schema = resolve(named, names);
  switch (kindOf(schema)) {
    case 'null':
      return () => undefined;
    case 'boolean':
      return skipFixed(1);
    case 'int':
    case 'long':
    case 'enum':
      return (cursor) => cursor.skipLong();
    case 'float':
      return skipFixed(4);
    case 'double':
      return skipFixed(8);
    case 'bytes':
    case 'string':
      return (cursor) => cursor.skipBytes();
    case 'fixed':
      return skipFixed(complex(schema).size);
    case 'union':
      return skipUnion((schema as readonly AvroSchema[]).map((one) => compileSkip(one, names)));
    case 'record':
      return skipAll(complex(schema).fields.map((field) => compileSkip(field.type, names)));
    case 'array':
      return skipArray(complex(schema).items, names);
    case 'map': {
      const value = compileSkip(complex(schema).values, names);
      return skipBlocks((cursor) => {
        cursor.skipBytes();
        value(cursor);
      });
    }
  }
  throw new Error(`unknown Avro type ${JSON.stringify(schema).slice(0, 80)}`);
}

function skipFixed(size: number): Skip {
  return (cursor) => {
    cursor.at += size;
  };
}

function skipAll(parts: readonly Skip[]): Skip {
  return (cursor) => {
    for (const part of parts) part(cursor);
  };
}

function skipUnion(branches: readonly Skip[]): Skip {
  return (cursor) => {
    const branch = branches[cursor.long()];
    if (branch === undefined) cursor.fail();
    else branch(cursor);
  };
}

function skipArray(items: AvroSchema, names: Names): Skip {
  const longs = longsIn(resolve(items, names));
  const item = compileSkip(items, names);
  return longs === null
    ? skipBlocks(item)
    : skipCounted((cursor, count) => cursor.skipLongs(count * longs));
}

/** How many integers, and nothing else, a value is; `null`: it is something else. */
function longsIn(schema: AvroSchema): number | null {
  const kind = kindOf(schema);
  if (kind === 'int' || kind === 'long') return 1;
  if (kind !== 'record') return null;
  const { fields } = complex(schema);
  return fields.every(({ type }) => longsIn(type) === 1) ? fields.length : null;
}

function skipBlocks(item: Skip): Skip {
  return skipCounted((cursor, count) => eachItem(cursor, count, item));
}

function skipCounted(skipItems: (cursor: AvroCursor, count: number) => void): Skip {
  return (cursor) => {
    for (let count = cursor.long(); count !== 0; count = cursor.long()) {
      if (count < 0) cursor.skipBytes();
      else skipItems(cursor, count);
      if (cursor.overrun) return;
    }
  };
}

/** Stops where the bytes end: a damaged count may be as large as it likes. */
export function eachItem(cursor: AvroCursor, count: number, item: Skip): void {
  if (count > cursor.bytes.length) cursor.fail();
  for (let index = 0; index < count && !cursor.overrun; index += 1) item(cursor);
}

function compileRead(named: AvroSchema, names: Names, keep: (name: string) => boolean): Read {
  const schema = resolve(named, names);
  const inner = (part: AvroSchema) => compileRead(part, names, () => true);
  switch (kindOf(schema)) {
    case 'null':
      return () => null;
    case 'boolean':
      return (cursor) => cursor.bytes[cursor.at++] === 1;
    case 'int':
      return (cursor) => cursor.long();
    case 'long':
      return (cursor) => cursor.exactLong();
    case 'float':
      return (cursor) => safely(cursor.fixed(4), 4, (bytes) => bytes.readFloatLE());
    case 'double':
      return (cursor) => safely(cursor.fixed(8), 8, (bytes) => bytes.readDoubleLE());
    case 'bytes':
      return (cursor) => cursor.blob();
    case 'string':
      return (cursor) => cursor.text();
    case 'fixed':
      return (cursor) => cursor.fixed(complex(schema).size);
    case 'enum':
      return (cursor) => complex(schema).symbols[cursor.long()];
    case 'union':
      return readUnion((schema as readonly AvroSchema[]).map(inner));
    case 'record':
      return readRecord(complex(schema).fields, names, keep);
    case 'array':
      return readArray(inner(complex(schema).items));
    case 'map':
      return readMap(inner(complex(schema).values));
  }
  throw new Error(`unknown Avro type ${JSON.stringify(schema).slice(0, 80)}`);
}

function safely(bytes: Buffer, size: number, read: (bytes: Buffer) => number): number {
  return bytes.length === size ? read(bytes) : Number.NaN;
}

function readUnion(branches: readonly Read[]): Read {
  return (cursor) => {
    const branch = branches[cursor.long()];
    if (branch === undefined) cursor.fail();
    return branch?.(cursor);
  };
}

function readRecord(
  fields: readonly AvroField[],
  names: Names,
  keep: (name: string) => boolean,
): Read {
  const parts = fields.map(({ name, type }) =>
    keep(name)
      ? { name, read: compileRead(type, names, () => true) }
      : { name: null, read: compileSkip(type, names) },
  );
  return (cursor) => {
    const record: Record<string, unknown> = {};
    for (const { name, read } of parts) {
      const value = read(cursor);
      if (name !== null) record[name] = value;
    }
    return record;
  };
}

function readArray(item: Read): Read {
  return (cursor) => {
    const items: unknown[] = [];
    readBlocks(cursor, () => items.push(item(cursor)));
    return items;
  };
}

function readMap(value: Read): Read {
  return (cursor) => {
    const entries: Record<string, unknown> = {};
    readBlocks(cursor, () => {
      const key = cursor.text();
      entries[key] = value(cursor);
    });
    return entries;
  };
}

function readBlocks(cursor: AvroCursor, item: () => void): void {
  for (let count = cursor.long(); count !== 0; count = cursor.long()) {
    // A negative count is followed by the block's size, for those who skip it.
    if (count < 0) cursor.skipLong();
    eachItem(cursor, Math.abs(count), item);
    if (cursor.overrun) return;
  }
}
