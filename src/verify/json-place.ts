/** Fields of JSON in a mapped column of text: looked into only where a value may be. */
import { MIN_TRACE_CHARS, type WantedValues } from './hit.ts';
import { eachScalar } from './json-scalars.ts';
import { needlesOf } from './needles.ts';
import type { PlaceMatcher } from './place-matcher.ts';
import type { Place } from './places.ts';
import { createSearch, MIN_PATTERN_BYTES } from './search.ts';
import { Unreadable } from './unreadable.ts';
import { hitsOfText } from './value-hits.ts';

export function compileJson({ json }: Place): PlaceMatcher['json'] {
  if (json.length === 0) return () => undefined;
  const isProbed = json.some(({ values }) => values.probe !== undefined);
  const mayHold = compileMayHold(json.map(({ values }) => values));
  const byPath = Map.groupBy(json, ({ path }) => keyOf(path));
  return (bytes, found) => {
    if (bytes.length === 0 || !(isProbed || mayHold(bytes))) return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    try {
      eachScalar(text, (scalar, path, isMember) => {
        if (isMember) return;
        for (const { values } of byPath.get(keyOf(path)) ?? []) {
          for (const hit of hitsOfText(values, scalar)) found(hit);
        }
      });
    } catch {
      if (isProbed || json.some((one) => standsIn(text, one))) throw new Unreadable('no_json');
    }
  };
}

/** Names of members may hold dots. */
export function keyOf(path: readonly string[]): string {
  return path.join('\0');
}

/** In what should be JSON and is none: a longer text anywhere, others behind their member's name. */
function standsIn(text: string, { path, values }: Place['json'][number]): boolean {
  const lower = text.toLowerCase();
  const texts = [...values.texts.keys()].map((one) => one.toLowerCase());
  const long = texts.filter((one) => [...one].length >= MIN_TRACE_CHARS);
  if (!values.isNumber && long.some((one) => lower.includes(one))) return true;
  const name = (path.at(-1) ?? '').toLowerCase();
  for (let at = name === '' ? -1 : lower.indexOf(name); at >= 0; at = lower.indexOf(name, at + 1)) {
    const [behind = ''] =
      /^[^-\p{L}\p{N}]{0,8}(.*)/su
        .exec(lower.slice(at + name.length, at + name.length + 512))
        ?.slice(1) ?? [];
    const [digits] = /^-?\d+/.exec(behind) ?? [];
    if (digits !== undefined && values.numbers.has(BigInt(digits))) return true;
    if (texts.some((one) => behind.startsWith(one) && !values.isNumber)) return true;
  }
  return false;
}

/** A first look that is fast, and never says no where a value is. */
function compileMayHold(wanted: readonly WantedValues[]): (bytes: Uint8Array) => boolean {
  const numbers = new Set(
    wanted.filter((one) => one.isNumber).flatMap((one) => [...one.numbers.keys()].map(Number)),
  );
  const texts = wanted.filter((one) => !one.isNumber).flatMap((one) => [...one.texts.keys()]);
  const patterns = texts.flatMap((text) =>
    needlesOf(text)
      .filter(({ form }) => form === 'utf8' || form === 'json')
      .map(({ bytes }) => ({ bytes, caseMatters: false, tag: null })),
  );
  const always = patterns.some(({ bytes }) => bytes.length < MIN_PATTERN_BYTES);
  const search = createSearch(patterns);
  // Letters beyond ASCII have more spellings than are sought.
  const isWide = texts.some((text) => /[^\0-~]/.test(text));
  return (bytes) =>
    always ||
    mayHoldNumber(bytes, numbers, isWide) ||
    (patterns.length > 0 && search.touches(bytes));
}

/**
 * A number stands in JSON as its digits; written with an exponent, or a text with escapes, it may
 * look different, so those are always looked into.
 */
function mayHoldNumber(bytes: Uint8Array, numbers: ReadonlySet<number>, isWide: boolean): boolean {
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
    if (isWide && byte >= 0x80) return true;
    // `\u0041` and `\/`.
    if (byte === 0x5c && (bytes[at + 1] === 0x75 || bytes[at + 1] === 0x2f)) return true;
  }
  return false;
}
