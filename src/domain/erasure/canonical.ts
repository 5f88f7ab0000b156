/**
 * One text for one JSON value (RFC 8785): a digest of it means the value and not its layout.
 *
 * Members stand in the order of their names' UTF-16 code units, without blanks. Numbers are written
 * as ECMAScript writes them, so `1.0` and `1e0` are both `1`, and `-0` is `0`. What another reader
 * would read back as something else is refused: numbers that are not finite, integers beyond
 * 2^53 - 1 (they go into text), half characters, NUL, and members that are `undefined`.
 */
import { IcewrightError } from '../errors.ts';

/** @throws IcewrightError `Internal`, naming the place (never the value) that has no one text */
export function canonicalText(value: unknown, place = '$'): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value, place);
  if (typeof value === 'string') return stringText(value, place);
  if (Array.isArray(value)) {
    // Not `map`: it would pass over holes.
    const items = Array.from(value, (one, at) => canonicalText(one, `${place}[${at}]`));
    return `[${items.join(',')}]`;
  }
  if (isPlainObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map(
        (name) => `${stringText(name, place)}:${canonicalText(value[name], `${place}.${name}`)}`,
      );
    return `{${members.join(',')}}`;
  }
  throw refusal(place, `a value of type ${typeof value} has no place in JSON`);
}

function numberText(value: number, place: string): string {
  if (!Number.isFinite(value)) throw refusal(place, 'the number is not finite');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw refusal(place, 'the integer is beyond 2^53 - 1 and must be written as text');
  }
  return JSON.stringify(value);
}

function stringText(value: string, place: string): string {
  if (!value.isWellFormed()) throw refusal(place, 'the text holds half a character');
  if (value.includes('\0')) throw refusal(place, 'the text holds the character NUL');
  return JSON.stringify(value);
}

/** Dates, maps and the like would lose what they hold without a word. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function refusal(place: string, why: string): IcewrightError {
  return new IcewrightError('Internal', `no canonical JSON at ${place}: ${why}`, { place });
}
