/**
 * Where a subject's personal data lie and what becomes of them there, as `policies/privacy.yaml`
 * says. A *subject* is a kind of person, such as `customer`; a request names one of them by its key.
 */
import { parseTable, tableKey } from '../table.ts';

/** Something a subject is known by: the key that a request names, or what rows with it hold. */
export interface Identifier {
  /** `customer_id`, `email`, `order_id`, … */
  readonly name: string;
  readonly type: 'bigint' | 'string';
  /** Rows that hold it are the subject's: it is looked for from table to table. */
  readonly links: boolean;
  /**
   * Its text alone betrays the subject (an e-mail address, a name): verification looks for it in
   * every text, not only in mapped columns.
   */
  readonly trace: boolean;
}

/**
 * A column, or a field inside one: `customer_id`, `after.customer_id`. Below a column of text it is
 * a field of the JSON object that the text is.
 */
export type ColumnPath = string;

/** Identifier → the places in a row that hold it. */
export type Holds = Readonly<Record<string, readonly ColumnPath[]>>;

/**
 * `delete`: rows that match go. `recompute`: the model that writes it runs again afterwards, and
 * rows that match go before. `keep`: no row is a person's, for the reason that is given.
 */
export type TableAction = 'delete' | 'recompute' | 'keep';

export interface TableMapping {
  /** `lake.bronze.raw_orders`; in a policy as it is written perhaps without its catalog. */
  readonly table: string;
  readonly action: TableAction;
  /** Of `keep`: why it is no personal data. */
  readonly because: string | null;
  /**
   * Linking identifiers in order: a row is the subject's when one of the places of the first holds
   * their value, or, where all places of those before are empty, one of the next. A browser that
   * two customers share makes neither the other.
   */
  readonly match: Holds;
  /** Further places with personal data in rows that match: they tell more identifiers. */
  readonly holds: Holds;
}

/** A system outside the lake that the data come from: forgotten there first. */
export interface SourceMapping {
  /** Its address stands in `ICEWRIGHT_SOURCE_<NAME>_URL`. */
  readonly name: string;
  readonly kind: 'postgres';
  /**
   * Queries, asked before: further linking identifiers of the subjects, each row with the key. What
   * the source has taken in since the last ingestion is in no table of the lake.
   */
  readonly tell?: readonly string[] | undefined;
  /**
   * Statements in order, in one transaction; `:customer_id` stands for the array of the subjects'
   * values of that identifier.
   */
  readonly forget: readonly string[];
}

/** A place outside that keeps copies for a time: listed in every certificate. */
export interface Sink {
  readonly name: string;
  readonly owner: string;
  /** `null`: no end is known. */
  readonly retentionMs: number | null;
  readonly note: string;
}

export interface Subject {
  readonly name: string;
  /** The identifier that a request names. */
  readonly key: string;
  readonly identifiers: readonly Identifier[];
  readonly sources: readonly SourceMapping[];
  readonly tables: readonly TableMapping[];
}

export interface PrivacyPolicy {
  readonly kind: 'privacy';
  readonly name: string;
  readonly file: string;
  readonly subjects: readonly Subject[];
  readonly sinks: readonly Sink[];
  /** From the request to its answer. Art. 12(3) GDPR: one month. */
  readonly deadlineMs: number;
  /** Ages of a request at which it is reported; ascending. */
  readonly warnAtMs: readonly number[];
  /** Requests approved within this time of each other share one rewrite. */
  readonly collectMs: number;
}

/**
 * Values of one subject by identifier: personal data. Held in memory and encrypted in the ledger;
 * never in a workflow, a log, a metric or an error.
 */
export type SubjectValues = Readonly<Record<string, readonly string[]>>;

/** All values of several subjects together, each once. */
export function mergeValues(list: readonly SubjectValues[]): SubjectValues {
  const merged: Record<string, Set<string>> = {};
  for (const [name, values] of list.flatMap((one) => Object.entries(one))) {
    const known = merged[name] ?? new Set();
    for (const value of values) known.add(value);
    merged[name] = known;
  }
  return Object.fromEntries(Object.entries(merged).map(([name, set]) => [name, [...set].sort()]));
}

/** The policy with every table named by catalog, namespace and name. */
export function inCatalog(policy: PrivacyPolicy, catalogName: string): PrivacyPolicy {
  return {
    ...policy,
    subjects: policy.subjects.map((subject) => ({
      ...subject,
      tables: subject.tables.map((mapping) => ({
        ...mapping,
        table: tableKey(parseTable(mapping.table, catalogName)),
      })),
    })),
  };
}

/** Those that speak of privacy, with their tables named in full. */
export function privacyPolicies(
  policies: readonly (PrivacyPolicy | { readonly kind: string })[],
  catalogName: string,
): readonly PrivacyPolicy[] {
  return policies.flatMap((one) =>
    one.kind === 'privacy' ? [inCatalog(one as PrivacyPolicy, catalogName)] : [],
  );
}
