/** What is sought, of all subjects of a batch at once, in the forms that readers look it up in. */
import type { Identifier } from '../domain/erasure/privacy.ts';
import { type BoundIndex, createBoundIndex } from './bound-index.ts';
import type { Hit, SoughtValue, WantedValues } from './hit.ts';
import type { HashedValues, VerifyInput } from './ports.ts';
import { createTextSearch, type TextSearch } from './texts.ts';

export interface Wanted {
  readonly texts: TextSearch;
  readonly bounds: BoundIndex;
  /** By identifier. */
  readonly values: ReadonlyMap<string, WantedValues>;
  /** Identifiers with values too short to be sought in every text. */
  readonly shortOnes: readonly Hit[];
}

/**
 * Shorter texts are met by chance: `Ann` in `annual`, four digits in every number. They are looked
 * for in mapped columns only.
 */
export const MIN_TRACE_CHARS = 6;

export function compileWanted({ subject, subjects, hashed }: VerifyInput): Wanted {
  const sought = subjects.flatMap(({ values }, index) =>
    subject.identifiers.flatMap((one) =>
      (values[one.name] ?? []).map((text): SoughtValue => {
        const anywhere = one.trace && [...text.trim()].length >= MIN_TRACE_CHARS;
        return { subject: index, identifier: one.name, text: text.trim(), anywhere };
      }),
    ),
  );
  const present = sought.filter((one) => one.text !== '');
  const traces = new Set(subject.identifiers.filter((one) => one.trace).map((one) => one.name));
  return {
    texts: createTextSearch(present.filter((one) => one.anywhere)),
    bounds: createBoundIndex(present),
    values: new Map(
      subject.identifiers.map((one) => [
        one.name,
        { ...valuesOf(one, present), ...probeOf(one, hashed) },
      ]),
    ),
    shortOnes: present.filter((one) => traces.has(one.identifier) && !one.anywhere),
  };
}

function valuesOf(identifier: Identifier, sought: readonly SoughtValue[]): WantedValues {
  const own = sought.filter((one) => one.identifier === identifier.name);
  const keyOf = identifier.trace
    ? (text: string) => text.trim().normalize('NFC').toLowerCase()
    : (text: string) => text.trim();
  const whole = own.filter((one) => /^-?\d+$/.test(one.text));
  return {
    identifier: identifier.name,
    numbers: groupHits(whole, (one) => BigInt(one.text)),
    texts: groupHits(own, (one) => keyOf(one.text)),
    keyOf,
  };
}

/** Of a million different values in a row, most come again soon. */
const REMEMBERED_MAX = 1_000_000;
const NO_HITS: readonly Hit[] = [];

function probeOf(
  { name }: Identifier,
  hashed: HashedValues | undefined,
): Pick<WantedValues, 'probe'> {
  const hashes = hashed?.hashes.get(name);
  if (hashed === undefined || hashes === undefined || hashes.size === 0) return {};
  const hits: readonly Hit[] = [{ subject: 0, identifier: name }];
  const known = new Map<string, boolean>();
  const probe = (key: string) => {
    let is = known.get(key);
    if (is === undefined) {
      is = hashes.has(hashed.hashOf(name, key));
      if (known.size >= REMEMBERED_MAX) known.clear();
      known.set(key, is);
    }
    return is ? hits : NO_HITS;
  };
  return { probe };
}

function groupHits<K>(sought: readonly SoughtValue[], keyOf: (one: SoughtValue) => K) {
  const groups = new Map<K, Hit[]>();
  for (const one of sought) {
    const key = keyOf(one);
    const hits = groups.get(key) ?? [];
    hits.push({ subject: one.subject, identifier: one.identifier });
    groups.set(key, hits);
  }
  return groups;
}
