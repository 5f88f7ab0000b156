/** Arrow batches → rows with exact values. */
import {
  type Data,
  DataType,
  type Field,
  type RecordBatch,
  tableFromIPC,
  Vector,
} from 'apache-arrow';
import type { EngineRow } from '../../domain/engine.ts';

/** Reads the value at a position of one column. */
type Reader = (index: number) => unknown;

/**
 * Decodes one Arrow IPC stream (each of Spark's batches is a whole one).
 *
 * bigint → `bigint`; decimal → exact string; timestamp → ISO string (`Z` when it is an instant,
 * no zone for `timestamp_ntz`), with microseconds only where there are any; date → `YYYY-MM-DD`;
 * binary → hex; day-time interval → seconds as string, year-month interval → `P14M`; array,
 * struct, map → JSON values, in which
 * a 64-bit integer is always a string (JSON numbers would round it).
 */
export function decodeRows(bytes: Uint8Array): EngineRow[] {
  return tableFromIPC(bytes).batches.flatMap(batchRows);
}

function batchRows(batch: RecordBatch): EngineRow[] {
  const columns = batch.schema.fields.map((field, index) => ({
    name: field.name,
    read: readerOf(batch.data.children[index] as Data, false),
  }));
  return Array.from({ length: batch.numRows }, (_, index) =>
    Object.fromEntries(columns.map(({ name, read }) => [name, read(index)])),
  );
}

/** @param nested inside an array, struct or map, where values must be plain JSON */
function readerOf(data: Data, nested: boolean): Reader {
  const read = readerOfType(data, nested);
  return data.nullCount === 0 ? read : (index) => (data.getValid(index) ? read(index) : null);
}

function readerOfType(data: Data, nested: boolean): Reader {
  const { type } = data;
  if (DataType.isNull(type)) return () => null;
  if (DataType.isDecimal(type)) {
    const words = data.values as Uint32Array;
    return (index) => decimalText(words.subarray(index * 4, index * 4 + 4), type.scale);
  }
  if (DataType.isTimestamp(type)) {
    const micros = data.values as BigInt64Array;
    const suffix = type.timezone ? 'Z' : '';
    return (index) => timestampText(micros[index] as bigint) + suffix;
  }
  if (DataType.isDate(type)) {
    const days = data.values as Int32Array;
    return (index) => dateText(days[index] as number);
  }
  if (DataType.isDuration(type)) {
    const micros = data.values as BigInt64Array;
    return (index) => decimalOf(micros[index] as bigint, 6);
  }
  if (DataType.isInterval(type)) {
    const months = data.values as Int32Array;
    return (index) => `P${months[index]}M`;
  }
  if (DataType.isList(type) || DataType.isMap(type) || DataType.isStruct(type)) {
    return nestedReader(data);
  }
  return scalarReader(data, nested);
}

/** Types whose values Arrow hands out exactly; binary is made text, and 64 bits JSON-safe. */
function scalarReader(data: Data, nested: boolean): Reader {
  const vector = new Vector([data]);
  return (index) => {
    const value = vector.get(index) as unknown;
    if (typeof value === 'bigint') return nested ? value.toString() : value;
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    if (ArrayBuffer.isView(value)) return [...(value as Int32Array)];
    return value;
  };
}

function nestedReader(data: Data): Reader {
  const { type } = data;
  if (DataType.isStruct(type)) {
    const fields = type.children.map((field: Field, index: number) => ({
      name: field.name,
      read: readerOf(data.children[index] as Data, true),
    }));
    return (index) => Object.fromEntries(fields.map(({ name, read }) => [name, read(index)]));
  }
  const offsets = data.valueOffsets as Int32Array;
  const positions = (index: number) => {
    const start = offsets[index] as number;
    return Array.from({ length: (offsets[index + 1] as number) - start }, (_, at) => start + at);
  };
  const entries = data.children[0] as Data;
  if (DataType.isList(type)) {
    const read = readerOf(entries, true);
    return (index) => positions(index).map(read);
  }
  const readKey = readerOf(entries.children[0] as Data, true);
  const readValue = readerOf(entries.children[1] as Data, true);
  return (index) =>
    Object.fromEntries(positions(index).map((at) => [keyText(readKey(at)), readValue(at)]));
}

function keyText(key: unknown): string {
  return typeof key === 'object' ? JSON.stringify(key) : String(key);
}

/** 128 bits as four little-endian words, two's complement. */
function decimalText(words: Uint32Array, scale: number): string {
  const bits = words.reduceRight((value, word) => (value << 32n) | BigInt(word), 0n);
  return decimalOf(BigInt.asIntN(128, bits), scale);
}

/** An integer of `10^-scale` units as decimal text: `(-1234n, 2)` → `"-12.34"`. */
function decimalOf(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function timestampText(micros: bigint): string {
  const fraction = ((micros % 1000n) + 1000n) % 1000n;
  const iso = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, -1);
  return fraction === 0n ? iso : `${iso}${fraction.toString().padStart(3, '0')}`;
}

function dateText(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, -'T00:00:00.000Z'.length);
}
