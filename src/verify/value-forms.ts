/** The forms in which one value may be written: whole numbers, days, UUIDs. */

const WHOLE = /^[+-]?\d+(\.0*)?$/;
const WITH_EXPONENT = /^[+-]?\d+(\.\d*)?[eE][+-]?\d+$/;

/** Of texts that SQL casts to a whole number: `007`, `+7`, `7.0`, `7e0`. `null`: none. */
export function wholeNumberOf(text: string): bigint | null {
  const bare = text.trim();
  if (WHOLE.test(bare)) return BigInt(bare.replace(/^\+|\.0*$/g, ''));
  if (!WITH_EXPONENT.test(bare)) return null;
  const value = Number(bare);
  return Number.isSafeInteger(value) ? BigInt(value) : null;
}

const DAY_MS = 86_400_000;

/** `2026-11-21` as days since 1970. `null`: no day. */
export function dayOf(text: string): bigint | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text.trim())) return null;
  const at = Date.parse(`${text.trim()}T00:00:00Z`);
  return Number.isNaN(at) ? null : BigInt(at / DAY_MS);
}

/** `''`: beyond what a date can be. */
export function dayText(day: bigint): string {
  const date = new Date(Number(day) * DAY_MS);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}

/** An unscaled decimal as SQL writes it. */
export function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Sixteen bytes as the text of a UUID. `null`: not so many. */
export function uuidText(bytes: Uint8Array): string | null {
  if (bytes.length !== 16) return null;
  const digits = Buffer.from(bytes).toString('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
