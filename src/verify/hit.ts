/** Values that are sought, and what is told when one is met. */

/**
 * Shorter texts are met by chance: `Ann` in `annual`, four digits in every number. They are looked
 * for in mapped columns only.
 */
export const MIN_TRACE_CHARS = 6;

/** An identifier of a subject that was met. */
export interface Hit {
  /** Place in `VerifyInput.subjects`. */
  readonly subject: number;
  readonly identifier: string;
}

/** The values of one identifier → subjects that have them. */
export interface WantedValues {
  readonly identifier: string;
  /** Of type bigint: texts that write the same number are equal. Others differ by one character. */
  readonly isNumber: boolean;
  readonly numbers: ReadonlyMap<bigint, readonly Hit[]>;
  /** Days since 1970, of texts that are days. */
  readonly days: ReadonlyMap<bigint, readonly Hit[]>;
  readonly texts: ReadonlyMap<string, readonly Hit[]>;
  /** A text as {@link WantedValues.texts} has it. */
  readonly keyOf: (text: string) => string;
  /** Asked for every value as it is written, where they are known by hash only. */
  readonly probe?: (text: string) => readonly Hit[];
}

/** A value of an identifier that belongs to a subject. */
export interface SoughtValue extends Hit {
  readonly text: string;
  /** Its text alone betrays the subject, and is long enough for that. */
  readonly anywhere: boolean;
}
