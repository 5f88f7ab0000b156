/**
 * Finds subjects: from the keys that requests name along matching rows to whatever else they are
 * known by, and then counts their rows in every ref of every table that is mapped. Many subjects
 * cost one reading, as one does.
 */
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { EngineRow, Statement } from '../../domain/engine.ts';
import type { Subject, SubjectValues, TableMapping } from '../../domain/erasure/privacy.ts';
import { holdsAt } from '../../domain/erasure/ref-schema.ts';
import type { FoundInTable } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { SnapshotRef, TableHealth } from '../../domain/health/health.ts';
import { ERASURE_SESSION } from '../../domain/ids.ts';
import { tableFromKey } from '../../domain/table.ts';
import { mapAtOnce } from '../at-once.ts';
import { type ErasureDeps, type ErasureTarget, mergeValues, targetOf } from './deps.ts';
import { discreetError } from './discreet.ts';

/** A chain of identifiers longer than this is a fault of the policy. */
const ROUNDS_MAX = 6;
/** Statements that are running at a time. */
const ASKED_AT_ONCE = 4;
/** Larger answers are a fault of the policy: one person is meant. */
const VALUES_MAX = 200_000;

export interface MappedTable {
  readonly mapping: TableMapping;
  readonly health: TableHealth;
}

export interface Sought {
  /** Statements are told apart by it. */
  readonly key: string;
  readonly subject: Subject;
  readonly tables: readonly MappedTable[];
  /** Of each subject, what is known of it: at least its key. */
  readonly known: readonly SubjectValues[];
  /** What is known stays sought, whoever else holds it by now: forgetting has begun with it. */
  readonly keepsKnown: boolean;
}

export interface FoundSubject {
  readonly values: SubjectValues;
  /** Identifiers of which a value is left out, because rows of others hold it as well. */
  readonly shared: readonly string[];
  readonly found: readonly FoundInTable[];
}

/** Of each subject, in the same order. Rejects with `PolicyInvalid` where the mapping joins people. */
export async function lookFor(deps: ErasureDeps, sought: Sought): Promise<readonly FoundSubject[]> {
  const asking: Asking = { ...sought, deps, ask: asker(deps, sought.key) };
  const resolved = await resolve(asking);
  const people = await leaveOutShared(asking, resolved);
  const found = await countRefs(
    asking,
    people.map(({ values }) => values),
  );
  return people.map((one, s) => ({ ...one, found: found(s) }));
}

interface Asking extends Sought {
  readonly deps: ErasureDeps;
  readonly ask: Ask;
}

type People = readonly SubjectValues[];
/** @param about whom the statement is: its errors are told without them */
type Ask = (statement: Statement, about: People) => Promise<readonly EngineRow[]>;

/** Reading may be repeated: each attempt asks anew. */
function asker({ spark }: ErasureDeps, of: string): Ask {
  let serial = 0;
  return async (statement, about) => {
    serial += 1;
    const key = `${of}/find/${activityInfo().base64TaskToken.slice(-12)}/${serial}`;
    const options = { key, session: ERASURE_SESSION, signal: cancellationSignal() };
    try {
      const { rows, release } = await spark.runner.run(statement, options);
      await release();
      return rows;
    } catch (error) {
      // Some of these values are nowhere else yet, where a failure's text could be cleared of them.
      throw discreetError(
        error,
        about.flatMap((values) => Object.values(values).flat()),
      );
    }
  };
}

function targetIn(
  { subject }: Asking,
  { mapping, health }: MappedTable,
  values: SubjectValues,
  ref?: SnapshotRef,
): ErasureTarget {
  const table = tableFromKey(health.table);
  const target = targetOf(table, health.columns, subject, mapping, values);
  const { schema } = ref ?? {};
  if (schema === undefined) return target;
  const { columns } = schema;
  return {
    ...target,
    columns,
    match: holdsAt(target.match, schema),
    holds: holdsAt(target.holds, schema),
  };
}

/** `null`: as whoever reads the table. */
function snapshotOf(ref: SnapshotRef): string | null {
  return ref.name === 'main' ? null : ref.snapshotId;
}

/** Repeats until no row tells a further linking identifier of anybody. */
async function resolve(asking: Asking): Promise<People> {
  const { subject, tables, known, deps, ask } = asking;
  const links = subject.identifiers.filter((one) => one.links).map((one) => one.name);
  const sizeOf = (values: SubjectValues) =>
    links.reduce((sum, name) => sum + (values[name]?.length ?? 0), 0);
  let people = known;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = people;
    const all = mergeValues(before);
    const statements = tables.flatMap((one) =>
      one.health.refs.flatMap((ref) => {
        const target = targetIn(asking, one, all, ref);
        return deps.spark.compiler.compileValues(target, before, snapshotOf(ref)) ?? [];
      }),
    );
    const told = (await mapAtOnce(statements, ASKED_AT_ONCE, (one) => ask(one, before))).flat();
    const ofWhom = Map.groupBy(told, (row) => Number(row.s));
    people = before.map((values, s) =>
      mergeValues([values, ...(ofWhom.get(s) ?? []).map((row) => toldBy(row, subject))]),
    );
    if (people.some((values) => sizeOf(values) > VALUES_MAX)) {
      const message = `more than ${VALUES_MAX} identifiers: the mapping joins more than one person`;
      throw new IcewrightError('PolicyInvalid', message, { subject: subject.name });
    }
    if (people.every((values, s) => sizeOf(values) === sizeOf(before[s] ?? {}))) return people;
  }
  const message = `identifiers lead on and on after ${ROUNDS_MAX} rounds: look at "links"`;
  throw new IcewrightError('PolicyInvalid', message, { subject: subject.name });
}

/** The key stays what the request names: another one in the same row is another person's. */
function toldBy(row: EngineRow, { key }: Subject): SubjectValues {
  return row.identifier === key ? {} : { [String(row.identifier)]: [String(row.value)] };
}

/**
 * What somebody else's rows hold as well (a name that two people have) cannot tell whether the
 * subject is left: it is neither matched by nor looked for. The key decides of itself.
 */
async function leaveOutShared(
  asking: Asking,
  people: People,
): Promise<readonly Pick<FoundSubject, 'values' | 'shared'>[]> {
  const { subject, tables, known, keepsKnown, deps, ask } = asking;
  const all = mergeValues(people);
  const statements = tables.flatMap(
    (one) => deps.spark.compiler.compileShared(targetIn(asking, one, all), people) ?? [],
  );
  const rows = (await mapAtOnce(statements, ASKED_AT_ONCE, (one) => ask(one, people))).flat();
  const others = new Set(rows.map(({ s, identifier, value }) => `${s} ${identifier} ${value}`));
  return people.map((values, s) => {
    const isShared = (name: string, value: string) =>
      name !== subject.key &&
      others.has(`${s} ${name} ${value}`) &&
      !(keepsKnown && known[s]?.[name]?.includes(value) === true);
    const entries = Object.entries(values);
    return {
      values: Object.fromEntries(
        entries.map(([name, list]) => [name, list.filter((value) => !isShared(name, value))]),
      ),
      shared: entries.flatMap(([name, list]) =>
        list.some((value) => isShared(name, value)) ? [name] : [],
      ),
    };
  });
}

/** What each has in every ref. */
async function countRefs(
  asking: Asking,
  people: People,
): Promise<(s: number) => readonly FoundInTable[]> {
  const { tables, deps, ask } = asking;
  const all = mergeValues(people);
  const wanted = tables.flatMap((one) => one.health.refs.map((ref) => ({ one, ref })));
  const counted = await mapAtOnce(wanted, ASKED_AT_ONCE, async ({ one, ref }) => {
    const target = targetIn(asking, one, all, ref);
    const statement = deps.spark.compiler.compileFind(target, people, snapshotOf(ref));
    const rows = statement === null ? [] : await ask(statement, people);
    return { table: one.health.table, ref, rows: new Map(rows.map((row) => [Number(row.s), row])) };
  });
  const byTable = Map.groupBy(counted, ({ table }) => table);
  return (s) =>
    tables.map(({ health: { table } }) => ({
      table,
      refs: (byTable.get(table) ?? []).map(({ ref: { name, type, snapshotId }, rows }) => {
        const count = (column: string) => Number(rows.get(s)?.[column] ?? 0);
        const counts = { rows: count('n'), files: count('files'), bytes: count('bytes') };
        return { name, type, ...counts, snapshotId };
      }),
    }));
}
