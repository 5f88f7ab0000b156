import { type BoundValues, PREFIX_BYTES } from './manifest-digest.ts';

/** Kinds of bounds: whole numbers, numbers with fractions, and bytes in their order. */
export type BoundKind = 'whole' | 'fraction' | 'bytes';

const DAY_MICROS = 86_400_000_000;

/** How the bounds of a column of this type are compared; `null`: such a column has none. */
export function boundKindOf(type: string): BoundKind | null {
  if (/^(boolean|int|long|date|time|timestamp(tz)?(_ns)?|decimal\(.*)$/.test(type)) return 'whole';
  if (type === 'float' || type === 'double') return 'fraction';
  if (/^(string|uuid|binary|fixed\[.*)$/.test(type)) return 'bytes';
  return null;
}

/** Room for the bounds of `count` files, none of them known yet. */
export function noBounds(type: string, count: number): BoundValues {
  if (boundKindOf(type) === 'bytes') return new Uint8Array(count * PREFIX_BYTES);
  return new Float64Array(count).fill(Number.NaN);
}

/** Puts the bound of one file in its place; `value` as Iceberg's single-value encoding has it. */
export function setBound(values: BoundValues, index: number, type: string, value: Buffer): void {
  if (values instanceof Float64Array) values[index] = numberOf(type, value);
  else values.set(value.subarray(0, PREFIX_BYTES), index * PREFIX_BYTES);
}

/** Values written before a column's type was widened are shorter than the type has them now. */
function numberOf(type: string, value: Buffer): number {
  if (type.startsWith('decimal')) return bigEndian(value);
  if (type === 'float' || type === 'double') {
    if (value.length === 4) return value.readFloatLE();
    return value.length === 8 ? value.readDoubleLE() : Number.NaN;
  }
  if (value.length === 8) return Number(value.readBigInt64LE());
  if (value.length === 1) return value[0] as number;
  if (value.length !== 4) return Number.NaN;
  const days = value.readInt32LE();
  if (!type.startsWith('timestamp')) return days;
  return days * DAY_MICROS * (type.endsWith('_ns') ? 1000 : 1);
}

/** Two's complement, as decimals are written. */
function bigEndian(value: Buffer): number {
  if (value.length === 0) return Number.NaN;
  const unscaled = BigInt(`0x${value.toString('hex')}`);
  return Number(BigInt.asIntN(value.length * 8, unscaled));
}
