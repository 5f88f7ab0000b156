/**
 * Finding and forgetting subjects, as Spark statements. Pure. A subject's values are parameters,
 * never part of the text; whoever reads Spark's own plans still sees them.
 */
import type { ErasureTarget } from '../../activities/erasure/deps.ts';
import type { Statement } from '../../domain/engine.ts';
import type { Identifier, SubjectValues } from '../../domain/erasure/privacy.ts';
import { quoteIdentifier, quotePath, quoteTable, quoteText } from './quote.ts';

/** Iceberg prunes files by at most this many values of one `IN` (`InclusiveMetricsEvaluator`). */
const PRUNED_BY_MAX = 200;
/** From here on values travel as one list, by which no file is pruned. */
const VALUES_APART_MAX = 10 * PRUNED_BY_MAX;

interface Predicate {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** True where a row is a subject's, null or false elsewhere. `false` when nothing is known. */
export function matchPredicate(target: ErasureTarget): Predicate {
  const parameters: Record<string, string> = {};
  const parts: string[] = [];
  const empty: string[] = [];
  for (const [name, paths] of Object.entries(target.match)) {
    const identifier = target.identifiers.find((one) => one.name === name);
    if (identifier === undefined) continue;
    const places = paths.map((path) => placeOf(target, path, identifier.type));
    const values = target.values[name] ?? [];
    if (values.length > 0) {
      const list = listOf(identifier, values, parameters);
      const held = places.map(list).join(' OR ');
      parts.push(empty.length === 0 ? held : `(${[...empty, `(${held})`].join(' AND ')})`);
    }
    empty.push(...places.map((place) => `${place} IS NULL`));
  }
  return { sql: parts.length === 0 ? 'false' : `(${parts.join(' OR ')})`, parameters };
}

/** Adds the values to the parameters, and says how a place is compared with them. */
function listOf(
  { name, type }: Identifier,
  values: readonly string[],
  parameters: Record<string, string>,
): (place: string) => string {
  const sqlType = type === 'bigint' ? 'BIGINT' : 'STRING';
  if (values.length > VALUES_APART_MAX) {
    // As they are written: a number of JavaScript has 53 bits, an identifier 64.
    parameters[`${name}_all`] =
      type === 'bigint' ? `[${values.map(BigInt).join(',')}]` : JSON.stringify(values);
    const all = `from_json(:${name}_all, 'array<${sqlType.toLowerCase()}>')`;
    return (place) => `array_contains(${all}, ${place})`;
  }
  const markers = values.map((value, index) => {
    parameters[`${name}_${index}`] = value;
    return type === 'bigint' ? `CAST(:${name}_${index} AS BIGINT)` : `:${name}_${index}`;
  });
  const lists = Array.from({ length: Math.ceil(markers.length / PRUNED_BY_MAX) }, (_, index) =>
    markers.slice(index * PRUNED_BY_MAX, (index + 1) * PRUNED_BY_MAX).join(', '),
  );
  return (place) => lists.map((list) => `${place} IN (${list})`).join(' OR ');
}

/** The value of a path, as the identifier's type; null where it is something else. */
function placeOf(target: ErasureTarget, path: string, type: Identifier['type']): string {
  const [head = '', ...rest] = path.split('.');
  const column = target.columns.find((one) => one.name === head);
  const inJson = rest.length > 0 && column?.type === 'string';
  const value = inJson
    ? `get_json_object(${quoteIdentifier(head)}, ${quoteText(`$.${rest.join('.')}`)})`
    : quotePath(path);
  const same = !inJson && rest.length === 0 && plainType(column?.type) === type;
  // A cast around a plain column would keep Iceberg from pruning files by its bounds.
  return same ? value : `try_cast(${value} AS ${type === 'bigint' ? 'BIGINT' : 'STRING'})`;
}

function plainType(type: string | undefined): Identifier['type'] | null {
  if (type === 'string' || type === 'uuid') return 'string';
  return type === 'long' || type === 'bigint' ? 'bigint' : null;
}

/**
 * Rows `s, n, files, bytes`: how many rows of which subject are in a ref, in how many files of how
 * many bytes. `s`: place in `subjects`; who has none is left out. `null`: nothing is known to match
 * by. @param snapshotId the ref's; `null`: what a reader of the table sees
 */
export function compileFind(
  target: ErasureTarget,
  subjects: readonly SubjectValues[],
  snapshotId: string | null,
): Statement | null {
  const { sql, parameters } = matchPredicate(target);
  if (sql === 'false') return null;
  const table = quoteTable(target.table);
  const rows = `${table}${atSnapshot(snapshotId)} WHERE ${sql}`;
  const hits = isAlone(subjects)
    ? `SELECT _file AS path, 0 AS s, count(*) AS n FROM ${rows} GROUP BY _file`
    : `${SELECT_JOINED} path, w.s AS s, count(DISTINCT pos) AS n
  FROM (SELECT _file AS path, _pos AS pos, explode(${matchedPairs(target)}) AS one
    FROM ${rows}) ${JOIN_WANTED} GROUP BY path, w.s`;
  return {
    engine: 'spark',
    sql: `WITH wanted AS (${WANTED}), hits AS (
  ${hits}
), sizes AS (
  SELECT file_path, max(file_size_in_bytes) AS bytes FROM ${table}.all_data_files GROUP BY file_path
)
SELECT s, sum(n) AS n, count(*) AS files, coalesce(sum(bytes), 0) AS bytes
FROM hits LEFT JOIN sizes ON file_path = path GROUP BY s`,
    parameters: { ...parameters, wanted: wantedOf(target, subjects) },
  };
}

/** Rows `s, identifier, value`: what rows that match a subject tell of them. */
export function compileValues(
  target: ErasureTarget,
  subjects: readonly SubjectValues[],
  snapshotId: string | null,
): Statement | null {
  const { sql, parameters } = matchPredicate(target);
  if (sql === 'false') return null;
  const rows = `${quoteTable(target.table)}${atSnapshot(snapshotId)} WHERE ${sql}`;
  const tells = isAlone(subjects)
    ? `SELECT 0 AS s, explode(${toldPairs(target)}) AS told FROM ${rows}`
    : `${SELECT_JOINED} w.s AS s, explode(tells) AS told
  FROM (SELECT explode(${matchedPairs(target)}) AS one, ${toldPairs(target)} AS tells
    FROM ${rows}) ${JOIN_WANTED}`;
  return {
    engine: 'spark',
    sql: `WITH wanted AS (${WANTED})
SELECT DISTINCT s, told.i AS identifier, told.v AS value FROM (${tells})
WHERE told.v IS NOT NULL AND told.v <> ''`,
    parameters: { ...parameters, wanted: wantedOf(target, subjects) },
  };
}

/**
 * Rows `s, identifier, value`: those of a subject's values that rows of others hold as well (a name
 * that two people have), compared as the second reader does. A row that nothing matches by is
 * nobody else's.
 */
export function compileShared(
  target: ErasureTarget,
  subjects: readonly SubjectValues[],
): Statement | null {
  const { sql, parameters } = matchPredicate(target);
  const names = [...Object.keys(target.match), ...Object.keys(target.holds)];
  if (names.every((name) => (target.values[name] ?? []).length === 0)) return null;
  const table = quoteTable(target.table);
  const alone = `WITH wanted AS (${WANTED})
${SELECT_JOINED} DISTINCT 0 AS s, w.i AS identifier, w.v AS value
FROM (SELECT explode(${toldPairs(target, 'alike')}) AS one
  FROM ${table} WHERE ${isSomebodys(target)} AND NOT coalesce(${sql}, false)) ${JOIN_ALIKE}`;
  const together = `WITH wanted AS (${WANTED}), own AS (
  ${SELECT_JOINED} DISTINCT path, pos, w.s AS s
  FROM (SELECT _file AS path, _pos AS pos, explode(${matchedPairs(target)}) AS one
    FROM ${table} WHERE ${sql}) ${JOIN_WANTED}
), seen AS (
  ${SELECT_JOINED} path, pos, w.s AS s, w.i AS identifier, w.v AS value
  FROM (SELECT _file AS path, _pos AS pos, explode(${toldPairs(target, 'alike')}) AS one
    FROM ${table} WHERE ${isSomebodys(target)}) ${JOIN_ALIKE}
)
SELECT DISTINCT s, identifier, value FROM seen LEFT ANTI JOIN own USING (path, pos, s)`;
  return {
    engine: 'spark',
    sql: isAlone(subjects) ? alone : together,
    parameters: { ...parameters, wanted: wantedOf(target, subjects) },
  };
}

/** Every row that matches is theirs: told without a join, in a fraction of the time. */
function isAlone(subjects: readonly SubjectValues[]): boolean {
  return subjects.length === 1;
}

/** Which value of which identifier is whose. */
const WANTED =
  "SELECT inline(from_json(:wanted, 'array<struct<i: string, v: string, alike: string, s: int>>'))";
const JOIN_WANTED = 'JOIN wanted w ON one.i = w.i AND one.v = w.v';
const JOIN_ALIKE = 'JOIN wanted w ON one.i = w.i AND one.v = w.alike';
/** There are at most some thousands of values: no reason to sort a table by them. */
const SELECT_JOINED = 'SELECT /*+ BROADCAST(w) */';

function wantedOf({ identifiers }: ErasureTarget, subjects: readonly SubjectValues[]): string {
  return JSON.stringify(
    subjects.flatMap((values, s) =>
      identifiers.flatMap(({ name, type, trace }) =>
        (values[name] ?? []).map((one) => {
          const v = type === 'bigint' ? String(BigInt(one)) : one;
          return { i: name, v, alike: trace ? v.trim().toLowerCase() : v, s };
        }),
      ),
    ),
  );
}

/** The pairs of identifier and value by which {@link matchPredicate} takes a row. */
function matchedPairs(target: ErasureTarget): string {
  const pairs: string[] = [];
  const empty: string[] = [];
  for (const [name, paths] of Object.entries(target.match)) {
    const identifier = target.identifiers.find((one) => one.name === name);
    if (identifier === undefined) continue;
    for (const path of paths) {
      const text = textOf(target, path, identifier.type);
      const value = empty.length === 0 ? text : `CASE WHEN ${empty.join(' AND ')} THEN ${text} END`;
      pairs.push(pairOf(name, value));
    }
    empty.push(...paths.map((path) => `${placeOf(target, path, identifier.type)} IS NULL`));
  }
  return `array(${pairs.join(', ')})`;
}

/** All pairs of identifier and value that a row holds; `alike`: traces in small letters. */
function toldPairs(target: ErasureTarget, spelling: 'exact' | 'alike' = 'exact'): string {
  const pairs = [...Object.entries(target.match), ...Object.entries(target.holds)].flatMap(
    ([name, paths]) => {
      const { type = 'string', trace = false } =
        target.identifiers.find((one) => one.name === name) ?? {};
      return paths.map((path) => {
        const text = textOf(target, path, type);
        return pairOf(name, trace && spelling === 'alike' ? `lower(trim(${text}))` : text);
      });
    },
  );
  return `array(${pairs.join(', ')})`;
}

/** Whether anything is there by which a row is told to be a person's. */
function isSomebodys(target: ErasureTarget): string {
  const places = Object.entries(target.match).flatMap(([name, paths]) => {
    const type = target.identifiers.find((one) => one.name === name)?.type ?? 'string';
    return paths.map((path) => `${placeOf(target, path, type)} IS NOT NULL`);
  });
  return places.length === 0 ? 'false' : `(${places.join(' OR ')})`;
}

function pairOf(name: string, value: string): string {
  return `named_struct('i', ${quoteText(name)}, 'v', ${value})`;
}

/** Numbers in one spelling, whatever the place holds them as. */
function textOf(target: ErasureTarget, path: string, type: Identifier['type']): string {
  const place = placeOf(target, path, type);
  return type === 'bigint' ? `CAST(${place} AS STRING)` : place;
}

/** By its number: a ref may be called like one, and a branch would be read with today's schema. */
function atSnapshot(snapshotId: string | null): string {
  return snapshotId === null ? '' : ` VERSION AS OF ${quoteText(snapshotId)}`;
}
