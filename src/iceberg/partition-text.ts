import type { PartitionField } from './metadata.ts';

const DAY_MS = 86_400_000;
const TIME_BASED = /^(year|month|day|hour)$/;

/**
 * Prints a partition value for people: `2024-02-29` for a day, `2024-02-29-13` for an hour.
 * @param value as the manifest holds it, 64-bit integers as `bigint`; `null` stays `null`
 */
export function partitionText(field: PartitionField, value: unknown): string | null {
  if (value === null || value === undefined || field.transform === 'void') return null;
  if (field.transform === 'identity' || field.transform.startsWith('truncate')) {
    return valueText(field.sourceType ?? 'unknown', value);
  }
  if (TIME_BASED.test(field.transform)) return timeText(field.transform, Number(value));
  return plainText(value);
}

/** Time transforms count years, months, days or hours since 1970. */
function timeText(transform: string, count: number): string {
  switch (transform) {
    case 'year':
      return String(1970 + count);
    case 'month':
      return dayText(Date.UTC(1970, count, 1)).slice(0, -3);
    case 'day':
      return dayText(count * DAY_MS);
    default: {
      const hours = ((count % 24) + 24) % 24;
      return `${dayText((count - hours) * 3_600_000)}-${String(hours).padStart(2, '0')}`;
    }
  }
}

function dayText(ms: number): string {
  return new Date(ms).toISOString().replace(/T.*$/, '');
}

function valueText(type: string, value: unknown): string {
  switch (type) {
    case 'date':
      return dayText(Number(value) * DAY_MS);
    case 'time':
      return timestampText(BigInt(plainText(value)), 6, false).slice(11);
    case 'timestamp':
    case 'timestamptz':
      return timestampText(BigInt(plainText(value)), 6, type.endsWith('tz'));
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return timestampText(BigInt(plainText(value)), 9, type.startsWith('timestamptz'));
    case 'uuid':
      return plainText(value).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  const scale = /^decimal\(\d+,\s*(\d+)\)$/.exec(type)?.[1];
  if (scale !== undefined && Buffer.isBuffer(value)) return decimalText(value, Number(scale));
  return plainText(value);
}

/** Microseconds (6 digits) or nanoseconds (9) since 1970. */
function timestampText(count: bigint, digits: number, zoned: boolean): string {
  const unit = 10n ** BigInt(digits);
  const fraction = ((count % unit) + unit) % unit;
  const seconds = new Date(Number((count - fraction) / unit) * 1000).toISOString().slice(0, 19);
  const shown = fraction === 0n ? '' : `.${String(fraction).padStart(digits, '0')}`;
  return `${seconds}${shown}${zoned ? 'Z' : ''}`;
}

/** Big-endian two's complement, as Avro keeps decimals. */
function decimalText(bytes: Buffer, scale: number): string {
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex') || '0'}`));
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function plainText(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}
