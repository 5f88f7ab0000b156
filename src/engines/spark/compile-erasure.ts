/**
 * Finding and forgetting subjects, as Spark statements. Pure. A subject's values are parameters,
 * never part of the text; whoever reads Spark's own plans still sees them.
 */
import type { Statement } from '../../domain/engine.ts';
import type { Holds, Identifier, SubjectValues } from '../../domain/erasure/privacy.ts';
import { nameInCatalog, type TableRef } from '../../domain/table.ts';
import { quoteIdentifier, quotePath, quoteTable, quoteText } from './quote.ts';

/** What every statement about subjects in one table is made from. */
export interface ErasureTarget {
  readonly table: TableRef;
  /** Of the current schema; below a column of type `string` lies JSON. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly identifiers: readonly Identifier[];
  readonly match: Holds;
  readonly holds: Holds;
  /** Of all subjects that are looked for at once. */
  readonly values: SubjectValues;
}

/**
 * From here on values travel as one list: Iceberg prunes files by at most 200 values of an `IN`
 * (`InclusiveMetricsEvaluator`), so a longer one gains nothing.
 */
const VALUES_APART = 200;

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
  if (values.length > VALUES_APART) {
    parameters[`${name}_all`] = JSON.stringify(type === 'bigint' ? values.map(Number) : values);
    const all = `from_json(:${name}_all, 'array<${sqlType.toLowerCase()}>')`;
    return (place) => `array_contains(${all}, ${place})`;
  }
  const markers = values.map((value, index) => {
    parameters[`${name}_${index}`] = value;
    return type === 'bigint' ? `CAST(:${name}_${index} AS BIGINT)` : `:${name}_${index}`;
  });
  return (place) => `${place} IN (${markers.join(', ')})`;
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

/** One row: how many rows match in a ref, and in how many files of how many bytes. */
export function compileFind(target: ErasureTarget, ref: string): Statement {
  const { sql, parameters } = matchPredicate(target);
  const table = quoteTable(target.table);
  const at = ref === 'main' ? '' : ` VERSION AS OF ${quoteText(ref)}`;
  const files = `${table}.all_data_files`;
  return {
    engine: 'spark',
    sql: `WITH hits AS (
  SELECT _file AS path, count(*) AS n FROM ${table}${at} WHERE ${sql} GROUP BY _file
), sizes AS (
  SELECT file_path, max(file_size_in_bytes) AS bytes FROM ${files} GROUP BY file_path
)
SELECT coalesce(sum(n), 0) AS n, count(*) AS files, coalesce(sum(bytes), 0) AS bytes
FROM hits LEFT JOIN sizes ON file_path = path`,
    parameters,
  };
}

/** Rows `identifier, value`: what rows that match tell of the subject. */
export function compileValues(target: ErasureTarget, ref: string): Statement | null {
  const { sql, parameters } = matchPredicate(target);
  const at = ref === 'main' ? '' : ` VERSION AS OF ${quoteText(ref)}`;
  const places = [...Object.entries(target.match), ...Object.entries(target.holds)].flatMap(
    ([name, paths]) => paths.map((path) => ({ name, path })),
  );
  if (places.length === 0 || sql === 'false') return null;
  const pairs = places.map(
    ({ name, path }) =>
      `named_struct('identifier', ${quoteText(name)}, 'value', ${placeOf(target, path, 'string')})`,
  );
  return {
    engine: 'spark',
    sql: `SELECT DISTINCT told.identifier, told.value
FROM (SELECT explode(array(${pairs.join(', ')})) AS told
  FROM ${quoteTable(target.table)}${at} WHERE ${sql})
WHERE told.value IS NOT NULL AND told.value <> ''`,
    parameters,
  };
}

/**
 * Rows `identifier, value`: those of the subject's values that rows of others hold as well (a name
 * that two people have). The key is not among them: it makes a row the subject's.
 */
export function compileShared(target: ErasureTarget): Statement | null {
  const { sql, parameters: matched } = matchPredicate(target);
  const parameters: Record<string, string> = { ...matched };
  const places: string[] = [];
  const wanted: string[] = [];
  for (const [name, paths] of [...Object.entries(target.match), ...Object.entries(target.holds)]) {
    const values = target.values[name] ?? [];
    if (values.length === 0) continue;
    parameters[`shared_${name}`] = JSON.stringify(values);
    const list = `from_json(:shared_${name}, 'array<string>')`;
    wanted.push(`(told.identifier = ${quoteText(name)} AND array_contains(${list}, told.value))`);
    for (const path of paths) {
      const value = placeOf(target, path, 'string');
      places.push(`named_struct('identifier', ${quoteText(name)}, 'value', ${value})`);
    }
  }
  if (places.length === 0) return null;
  return {
    engine: 'spark',
    sql: `SELECT DISTINCT told.identifier, told.value
FROM (SELECT explode(array(${places.join(', ')})) AS told
  FROM ${quoteTable(target.table)} WHERE NOT coalesce(${sql}, false))
WHERE ${wanted.join(' OR ')}`,
    parameters,
  };
}

/** One row: all rows, those that match, and a sum over the hashes of all others. */
export function compileOracle(target: ErasureTarget): Statement {
  const { sql, parameters } = matchPredicate(target);
  const names = target.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return {
    engine: 'spark',
    sql: `SELECT count(*) AS n, count_if(hit) AS matched,
  CAST(coalesce(sum(CASE WHEN hit THEN 0 ELSE h END), 0) AS STRING) AS others
FROM (SELECT coalesce(${sql}, false) AS hit, CAST(xxhash64(${names}) AS DECIMAL(38, 0)) AS h
  FROM ${quoteTable(target.table)})`,
    parameters,
  };
}

/** The commit that makes them invisible; `runId` stands in its summary. */
export function compileDelete(target: ErasureTarget, runId: string): Statement {
  const { sql, parameters } = matchPredicate(target);
  return {
    engine: 'spark',
    sql: `DELETE FROM ${quoteTable(target.table)} WHERE ${sql}`,
    parameters,
    settings: { 'spark.sql.iceberg.snapshot-property.icewright.run-id': runId },
  };
}

/** Far beyond any file: sizes shall choose none. */
const ANY_BYTES = String(2 ** 50);

/**
 * Writes every file anew that any delete file applies to, and no other: what a delete only hides is
 * then in no live file. Sizes and ratios, by which `rewrite_data_files` chooses of itself, are set
 * so that they choose nothing.
 */
export function compileForcedRewrite({ table }: ErasureTarget): Statement {
  return call(table, 'rewrite_data_files', {
    'delete-file-threshold': '1',
    'delete-ratio-threshold': '1',
    'min-file-size-bytes': '0',
    'max-file-size-bytes': ANY_BYTES,
    'min-input-files': '2147483647',
    'remove-dangling-deletes': 'true',
    'partial-progress.enabled': 'false',
  });
}

/** Drops position deletes of files that are no longer there. */
export function compileDanglingDeletes({ table }: ErasureTarget): Statement {
  return call(table, 'rewrite_position_delete_files', {
    'rewrite-all': 'true',
    'partial-progress.enabled': 'false',
  });
}

/**
 * A commit without a file. Manifests that only name what was removed are not carried into it; with
 * one manifest left `rewrite_manifests` does nothing, and the head would go on naming them.
 */
export function compileEmptyCommit(
  { table }: ErasureTarget,
  summary: Readonly<Record<string, string>>,
): Statement {
  const name = quoteTable(table);
  const settings = Object.entries(summary).map(
    ([key, value]) => [`spark.sql.iceberg.snapshot-property.${key}`, value] as const,
  );
  return {
    engine: 'spark',
    sql: `INSERT INTO ${name} SELECT * FROM ${name} WHERE false`,
    settings: Object.fromEntries(settings),
  };
}

/** One row: entries of removed files that the head's manifests still name, and their length. */
export function compileRemovedEntries({ table }: ErasureTarget): Statement {
  return {
    engine: 'spark',
    sql: `SELECT coalesce(sum(deleted_data_files_count + deleted_delete_files_count), 0) AS removed,
  coalesce(sum(length), 0) AS bytes FROM ${quoteTable(table)}.manifests`,
  };
}

/** `null`: as if it had never been set. */
export function compileManifestTarget({ table }: ErasureTarget, bytes: string | null): Statement {
  const property = quoteText('commit.manifest.target-size-bytes');
  const change =
    bytes === null
      ? `UNSET TBLPROPERTIES IF EXISTS (${property})`
      : `SET TBLPROPERTIES (${property} = ${quoteText(bytes)})`;
  return { engine: 'spark', sql: `ALTER TABLE ${quoteTable(table)} ${change}` };
}

/** Manifests name removed files with the bounds of their columns until they are written anew. */
export function compileManifests({ table }: ErasureTarget): Statement {
  return call(table, 'rewrite_manifests', null);
}

function call(
  table: TableRef,
  procedure: string,
  options: Readonly<Record<string, string>> | null,
): Statement {
  const name = quoteText(quotePath(nameInCatalog(table)));
  const pairs = options === null ? '' : Object.entries(options).flat().map(quoteText).join(', ');
  const args = [`table => ${name}`, ...(options === null ? [] : [`options => map(${pairs})`])];
  const sql = `CALL ${quoteIdentifier(table.catalog)}.system.${procedure}(${args.join(', ')})`;
  return { engine: 'spark', sql };
}
