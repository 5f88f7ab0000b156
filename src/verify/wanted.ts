/** What is sought, of all subjects of a batch at once, in the forms that readers look it up in. */
import type { Identifier } from '../domain/erasure/privacy.ts';
import { type BoundIndex, createBoundIndex } from './bound-index.ts';
import type { VerifyInput } from './ports.ts';
import { createTextSearch, type TextSearch } from './texts.ts';

/** An identifier of a subject that was met. */
export interface Hit {
  /** Place in `VerifyInput.subjects`. */
  readonly subject: number;
  readonly identifier: string;
}

export interface Wanted {
  readonly texts: TextSearch;
  readonly bounds: BoundIndex;
  /** By identifier. */
  readonly values: ReadonlyMap<string, WantedValues>;
  /** Identifiers with values too short to be sought in every text. */
  readonly shortOnes: readonly Hit[];
}

/** The values of one identifier → subjects that have them. */
export interface WantedValues {
  readonly identifier: string;
  readonly numbers: ReadonlyMap<bigint, readonly Hit[]>;
  readonly texts: ReadonlyMap<string, readonly Hit[]>;
  /** A text as {@link WantedValues.texts} has it. */
  readonly keyOf: (text: string) => string;
}

/** A value of an identifier that belongs to a subject. */
export interface SoughtValue extends Hit {
  readonly text: string;
  /** Its text alone betrays the subject, and is long enough for that. */
  readonly anywhere: boolean;
}

/**
 * Shorter texts are met by chance: `Ann` in `annual`, four digits in every number. They are looked
 * for in mapped columns only.
 */
export const MIN_TRACE_CHARS = 6;

export function compileWanted({ subject, subjects }: VerifyInput): Wanted {
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
    values: new Map(subject.identifiers.map((one) => [one.name, valuesOf(one, present)] as const)),
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
