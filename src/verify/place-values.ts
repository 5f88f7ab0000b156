/** Compares values of a mapped column with those that are sought: by value, not by type. */
import { parseExactJson } from '../domain/exact-json.ts';
import type { Hit, WantedValues } from './hit.ts';
import { eachScalarAt } from './json-scalars.ts';
import type { Found, PlaceMatcher } from './place-matcher.ts';
import type { Place } from './places.ts';
import { createProbe, isProbed } from './probe-values.ts';
import { Unreadable } from './unreadable.ts';

const LOW_BITS = 0xffff;

export function createMatcher(place: Place): PlaceMatcher {
  if (isProbed(place)) return createProbe(place);
  const numbers = place.direct.flatMap((one) => [...one.numbers.keys()]);
  // One look at a bit decides for nearly every value that is not sought.
  const seen = new Uint8Array(LOW_BITS + 1);
  for (const one of numbers) seen[Number(BigInt.asUintN(16, one))] = 1;
  const number = (value: bigint, scale: number, found: Found) => {
    const whole = wholeOf(value, scale);
    if (whole === null) return;
    for (const one of place.direct) report(one.numbers.get(whole), found);
  };
  const json = compileJson(place);
  return {
    number,
    numbers: (values, scale, found) => {
      if (numbers.length === 0) return;
      if (scale > 0) for (const value of values) number(BigInt(value), scale, found);
      else if (values instanceof Int32Array) {
        for (const value of values)
          if (seen[value & LOW_BITS] === 1) number(BigInt(value), 0, found);
      } else {
        const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
        for (let at = 0; at < words.length; at += 2) {
          if (seen[(words[at] as number) & LOW_BITS] === 1) {
            number(values[at >> 1] as bigint, 0, found);
          }
        }
      }
    },
    text: (bytes, found) => {
      for (const one of place.direct) matchText(one, bytes, found);
      json?.(bytes, found);
    },
  };
}

function report(hits: readonly Hit[] | undefined, found: Found): void {
  for (const hit of hits ?? []) found(hit);
}

function wholeOf(value: bigint, scale: number): bigint | null {
  if (scale <= 0) return value;
  const unit = 10n ** BigInt(scale);
  return value % unit === 0n ? value / unit : null;
}

const MAX_IDENTIFIER_BYTES = 4_096;

function matchText(values: WantedValues, bytes: Uint8Array, found: Found): void {
  if (values.texts.size === 0 || bytes.length > MAX_IDENTIFIER_BYTES) return;
  const text = textOf(bytes);
  const hits = values.texts.get(values.keyOf(text));
  report(hits, found);
  if (hits === undefined && bytes.length === 16) {
    const digits = Buffer.from(bytes).toString('hex');
    const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    report(values.texts.get(values.keyOf(uuid)), found);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** Looks into JSON, but only where the bytes could hold a value that is sought. */
function compileJson(place: Place): ((bytes: Uint8Array, found: Found) => void) | null {
  if (place.json.length === 0) return null;
  const numbers = new Set(
    place.json.flatMap(({ values }) => [...values.numbers.keys()].map(Number)),
  );
  const texts = place.json.flatMap(({ values }) =>
    [...values.texts.keys()].filter((text) => !/^-?\d+$/.test(text)),
  );
  return (bytes, found) => {
    const mayHold = mayHoldNumber(bytes, numbers);
    if (bytes.length === 0 || (texts.length === 0 && !mayHold)) return;
    const text = textOf(bytes);
    let json: unknown;
    try {
      json = parseExactJson(text);
    } catch {
      const lower = text.toLowerCase();
      if (!mayHold && !texts.some((one) => lower.includes(one.toLowerCase()))) return;
      throw new Unreadable('no_json');
    }
    for (const { path, values } of place.json) {
      eachScalarAt(json, path, (scalar) => matchScalar(scalar, values, found));
    }
  };
}

/**
 * A number stands in JSON as its digits; written with an exponent, or a text with escapes, it may
 * look different, so those are always looked into.
 */
function mayHoldNumber(bytes: Uint8Array, numbers: ReadonlySet<number>): boolean {
  let [value, digits] = [0, 0];
  for (let at = 0; at <= bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) {
      value = value * 10 + (byte - 0x30);
      digits += 1;
      continue;
    }
    if (digits > 0) {
      // Beyond 15 digits, sums are not exact.
      if (digits > 15 || (byte | 0x20) === 0x65) return true;
      if (numbers.has(value) || numbers.has(-value)) return true;
      [value, digits] = [0, 0];
    }
    if (byte === 0x5c && bytes[at + 1] === 0x75) return true;
  }
  return false;
}

function matchScalar(text: string, values: WantedValues, found: Found): void {
  const hits = values.texts.get(values.keyOf(text));
  if (hits !== undefined) report(hits, found);
  else if (/^\s*-?\d+\s*$/.test(text)) report(values.numbers.get(BigInt(text.trim())), found);
}
