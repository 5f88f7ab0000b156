/** The steps of forgetting in one table, as Spark statements. Pure. */
import type { ErasureTarget } from '../../activities/erasure/deps.ts';
import type { Statement } from '../../domain/engine.ts';
import type { PartitionKey } from '../../domain/operation.ts';
import { nameInCatalog, type TableRef } from '../../domain/table.ts';
import { matchPredicate } from './compile-erasure.ts';
import { partitionsPredicate } from './partitions.ts';
import { quoteIdentifier, quotePath, quoteTable, quoteText } from './quote.ts';

/**
 * One row: all rows, those that match, and a sum over the hashes of all others.
 * @param columns over which the hashes go
 * @param snapshotId `null`: of the head, in the table's current schema
 */
export function compileOracle(
  target: ErasureTarget,
  columns: readonly string[],
  snapshotId: string | null,
): Statement {
  const { sql, parameters } = matchPredicate(target);
  const names = columns.map(quoteIdentifier).join(', ');
  const version = snapshotId === null ? '' : ` VERSION AS OF ${snapshotId}`;
  return {
    engine: 'spark',
    sql: `SELECT count(*) AS n, count_if(hit) AS matched,
  CAST(coalesce(sum(CASE WHEN hit THEN 0 ELSE h END), 0) AS STRING) AS others
FROM (SELECT coalesce(${sql}, false) AS hit, CAST(xxhash64(${names}) AS DECIMAL(38, 0)) AS h
  FROM ${quoteTable(target.table)}${version})`,
    parameters,
  };
}

/**
 * The commit that makes them invisible; `summary` stands in its own. Where whole files match, Spark
 * would delete by metadata alone, and its commit would not carry the summary (`deleteWhere` of
 * Iceberg's `SparkTable`): a condition that is always true, and that no source understands, has it
 * delete by rows.
 */
export function compileDelete(
  target: ErasureTarget,
  summary: Readonly<Record<string, string>>,
): Statement {
  const { sql, parameters } = matchPredicate(target);
  const plain = target.columns.find(({ type }) => !type.includes('<'));
  const byRows = plain === undefined ? '' : ` AND xxhash64(${quoteIdentifier(plain.name)}) % 2 < 2`;
  return {
    engine: 'spark',
    sql: `DELETE FROM ${quoteTable(target.table)} WHERE ${sql}${byRows}`,
    parameters,
    settings: summarySettings(summary),
  };
}

function summarySettings(
  summary: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(summary).map(([key, value]) => [
      `spark.sql.iceberg.snapshot-property.${key}`,
      value,
    ]),
  );
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

/**
 * Writes all data files of these partitions anew, as younger than all deletes that are there: none
 * of them applies to anything then. Fails as a conflict where somebody deletes meanwhile.
 * @param partitions the whole table, where they cannot be said
 */
export function compileFullRewrite(
  target: ErasureTarget,
  partitions: readonly PartitionKey[],
): Statement {
  const { table } = target;
  const personal = [...Object.values(target.match), ...Object.values(target.holds)]
    .flat()
    .map((path) => path.split('.')[0]);
  // Without the value of a column that holds persons it is more partitions, and nobody's name.
  const plain = partitions.map((key) =>
    key.filter((one) => one.transform.startsWith('bucket') || !personal.includes(one.source)),
  );
  const where = partitionsPredicate(plain, table.catalog);
  const options = {
    'rewrite-all': 'true',
    'use-starting-sequence-number': 'false',
    'remove-dangling-deletes': 'true',
    'partial-progress.enabled': 'false',
  };
  const whole = 'refused' in where || where.sql.split(' OR ').includes('true');
  return call(
    table,
    'rewrite_data_files',
    options,
    whole ? [] : [`where => ${quoteText(where.sql)}`],
  );
}

/** One row `files`: equality deletes of the head that are no younger than this. */
export function compileEqualityDeletes(
  { table }: ErasureTarget,
  sequenceNumber: number,
): Statement {
  return {
    engine: 'spark',
    sql: `SELECT count(*) AS files FROM ${quoteTable(table)}.entries
WHERE status < 2 AND data_file.content = 2 AND sequence_number <= ${sequenceNumber}`,
  };
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
  return {
    engine: 'spark',
    sql: `INSERT INTO ${name} SELECT * FROM ${name} WHERE false`,
    settings: summarySettings(summary),
  };
}

/**
 * Rows `spec, bytes, removed`, one for data and one for deletes: the head's manifests by partition
 * spec, and how many entries of removed files they have. A manifest names those alone that its own
 * snapshot removed.
 * @param without snapshots whose manifests are left out
 */
export function compileManifestGroups(
  { table }: ErasureTarget,
  without: readonly string[],
): Statement {
  const where = without.length === 0 ? '' : `WHERE added_snapshot_id NOT IN (${without.join()}) `;
  return {
    engine: 'spark',
    sql: `SELECT partition_spec_id AS spec, sum(length) AS bytes,
  sum(deleted_data_files_count + deleted_delete_files_count) AS removed
FROM ${quoteTable(table)}.manifests ${where}GROUP BY partition_spec_id, content`,
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
export function compileManifests({ table }: ErasureTarget, specId: number): Statement {
  return call(table, 'rewrite_manifests', null, [`spec_id => ${specId}`]);
}

function call(
  table: TableRef,
  procedure: string,
  options: Readonly<Record<string, string>> | null,
  more: readonly string[] = [],
): Statement {
  const name = quoteText(quotePath(nameInCatalog(table)));
  const pairs = options === null ? '' : Object.entries(options).flat().map(quoteText).join(', ');
  const given = options === null ? [] : [`options => map(${pairs})`];
  const args = [`table => ${name}`, ...given, ...more].join(', ');
  const sql = `CALL ${quoteIdentifier(table.catalog)}.system.${procedure}(${args})`;
  return { engine: 'spark', sql };
}
