/** Compares values of a mapped column with those that are sought: by value, not by type. */
import type { Hit, WantedValues } from './hit.ts';
import { compileJson } from './json-place.ts';
import type { Found, NumberForm, PlaceMatcher } from './place-matcher.ts';
import type { Place } from './places.ts';
import { uuidText } from './value-forms.ts';
import { hitsOfNumber, hitsOfText } from './value-hits.ts';

const LOW_BITS = 0xffff;

const known = new WeakMap<Place, PlaceMatcher>();

/** The matcher of a place: made once, for it may know of many thousands of values. */
export function matcherOf(place: Place): PlaceMatcher {
  const before = known.get(place);
  if (before !== undefined) return before;
  const matcher = createMatcher(place);
  known.set(place, matcher);
  return matcher;
}

function createMatcher(place: Place): PlaceMatcher {
  const { direct } = place;
  const number = (value: bigint, form: NumberForm, found: Found) => {
    for (const one of direct) report(hitsOfNumber(one, value, form), found);
  };
  return {
    number,
    numbers: compileNumbers(direct, number),
    text: (bytes, found) => {
      if (bytes.length > MAX_IDENTIFIER_BYTES) return;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
      const uuid = uuidText(bytes);
      for (const one of direct) {
        report(hitsOfText(one, text), found);
        if (uuid !== null) report(hitsOfText(one, uuid), found);
      }
    },
    json: compileJson(place),
  };
}

const MAX_IDENTIFIER_BYTES = 4_096;

function report(hits: readonly Hit[], found: Found): void {
  for (const hit of hits) found(hit);
}

/** One look at a bit decides for nearly every value that is not sought. */
function compileNumbers(
  direct: readonly WantedValues[],
  number: PlaceMatcher['number'],
): PlaceMatcher['numbers'] {
  const isProbed = direct.some(({ probe }) => probe !== undefined);
  const seen = new Uint8Array(LOW_BITS + 1);
  for (const { numbers, days } of direct) {
    for (const one of [...numbers.keys(), ...days.keys()]) {
      seen[Number(BigInt.asUintN(16, one))] = 1;
    }
  }
  return (values, form, found) => {
    if (form.scale > 0 || isProbed) {
      for (const value of values) number(BigInt(value), form, found);
    } else if (values instanceof Int32Array) {
      for (const value of values) {
        if (seen[value & LOW_BITS] === 1) number(BigInt(value), form, found);
      }
    } else {
      const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
      for (let at = 0; at < words.length; at += 2) {
        if (seen[(words[at] as number) & LOW_BITS] === 1) {
          number(values[at >> 1] as bigint, form, found);
        }
      }
    }
  };
}
