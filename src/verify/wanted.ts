/** What is sought, of all subjects of a batch at once, in the forms that readers look it up in. */
import type { Identifier } from '../domain/erasure/privacy.ts';
import { type BoundIndex, createBoundIndex } from './bound-index.ts';
import { type Hit, MIN_TRACE_CHARS, type SoughtValue, type WantedValues } from './hit.ts';
import type { HashedValues, VerifyInput } from './ports.ts';
import { createTextSearch, type TextSearch } from './texts.ts';
import { dayOf, isUuid, wholeNumberOf } from './value-forms.ts';

export interface Wanted {
  readonly texts: TextSearch;
  readonly bounds: BoundIndex;
  /** By identifier. */
  readonly values: ReadonlyMap<string, WantedValues>;
  /** Identifiers with values too short to be sought in every text. */
  readonly shortOnes: readonly Hit[];
}

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
  const isNumber = identifier.type === 'bigint';
  // A text is no number: of a column of numbers, `0042` can be none.
  const numberOf = (text: string) =>
    isNumber || /^(0|-?[1-9]\d*)$/.test(text) ? wholeNumberOf(text) : null;
  const keyOf = keyFor(identifier);
  return {
    identifier: identifier.name,
    isNumber,
    numbers: groupHits(own, ({ text }) => numberOf(text)),
    days: groupHits(own, ({ text }) => dayOf(text)),
    texts: groupHits(own, ({ text }) => keyOf(text)),
    keyOf,
  };
}

function keyFor({ trace }: Identifier): (text: string) => string {
  return (text) => {
    const bare = text.trim();
    if (trace) return bare.normalize('NFC').toLowerCase();
    return isUuid(bare) ? bare.toLowerCase() : bare;
  };
}

/** Of a million different values in a row, most come again soon. */
const REMEMBERED_MAX = 1_000_000;
const NO_HITS: readonly Hit[] = [];

function probeOf(
  identifier: Identifier,
  hashed: HashedValues | undefined,
): Pick<WantedValues, 'probe'> {
  const { name } = identifier;
  const hashes = hashed?.hashes.get(name);
  if (hashed === undefined || hashes === undefined || hashes.size === 0) return {};
  const hits: readonly Hit[] = [{ subject: 0, identifier: name }];
  const known = new Map<string, boolean>();
  const probe = (text: string) => {
    let is = known.get(text);
    if (is === undefined) {
      is = spellingsOf(identifier, text).some((one) => hashes.has(hashed.hashOf(name, one)));
      if (known.size >= REMEMBERED_MAX) known.clear();
      known.set(text, is);
    }
    return is ? hits : NO_HITS;
  };
  return { probe };
}

/** What was hashed may have been written otherwise: numbers are in one spelling. */
function spellingsOf(identifier: Identifier, text: string): readonly string[] {
  const bare = text.trim();
  if (identifier.type === 'bigint') {
    const whole = wholeNumberOf(bare);
    return whole === null ? [] : [String(whole)];
  }
  const upper = isUuid(bare) ? [bare.toUpperCase()] : [];
  return [...new Set([bare, keyFor(identifier)(bare), ...upper])];
}

/** @param keyOf `null`: it has none, and is left out */
function groupHits<K>(sought: readonly SoughtValue[], keyOf: (one: SoughtValue) => K | null) {
  const groups = new Map<K, Hit[]>();
  for (const one of sought) {
    const key = keyOf(one);
    if (key === null) continue;
    const hits = groups.get(key) ?? [];
    hits.push({ subject: one.subject, identifier: one.identifier });
    groups.set(key, hits);
  }
  return groups;
}
