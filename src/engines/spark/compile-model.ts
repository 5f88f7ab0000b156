/** Models as Spark statements. Pure. */
import type { Statement } from '../../domain/engine.ts';
import { assertNever, IcewrightError } from '../../domain/errors.ts';
import {
  type CompiledModel,
  MODEL_DIGEST_PROPERTY,
  type Model,
  type ModelContext,
} from '../../domain/model/model.ts';
import { hmacPads, renderMacros } from '../../domain/model/sql.ts';
import { type ColumnType, parseColumnType, parsePartition } from '../../domain/model/types.ts';
import { parseTable, tableFromKey, tableKey } from '../../domain/table.ts';
import { INPUTS_PROPERTY, MODEL_PROPERTY, RUN_ID_PROPERTY } from '../../domain/watermark.ts';
import { quoteIdentifier, quotePath, quoteTable, quoteText } from './quote.ts';

/** Session setting under which Iceberg takes properties for the snapshots that it commits. */
const SNAPSHOT_PROPERTY = 'spark.sql.iceberg.snapshot-property';

/**
 * The statements of one run of a model. Each input is read at its pinned snapshot, and the same ids
 * go into the summary of the snapshot that is written: the watermark is what was read.
 * Throws `Internal` when an input has no pinned snapshot, `ConfigInvalid` when the model hashes and
 * there is no key.
 */
export function compileModel(model: Model, context: ModelContext): CompiledModel {
  const hashes = { used: false };
  const select = renderMacros(model.sql, {
    input: (table) => pinnedRead(model, context, table),
    target: () => quoteTable(model.target),
    keyedHash: (expression) => {
      hashes.used = true;
      return keyedHash(expression);
    },
  });
  const write: Statement = {
    engine: 'spark',
    sql: compileWrite(model, select),
    settings: settingsOf(model, context),
    ...(hashes.used ? { parameters: { ...padsOf(model, context) } } : {}),
  };
  return { ensure: compileEnsure(model), write };
}

function pinnedRead(model: Model, { inputs }: ModelContext, table: string): string {
  const key = tableKey(parseTable(table, model.target.catalog));
  const snapshotId = inputs[key];
  if (snapshotId === undefined || !/^\d+$/.test(snapshotId)) {
    throw new IcewrightError(
      'Internal',
      `${model.name} reads ${key}, whose snapshot is not pinned`,
    );
  }
  return `${quoteTable(tableFromKey(key))} VERSION AS OF ${snapshotId}`;
}

/**
 * HMAC-SHA256 by two nested hashes. The key is in neither the text nor the model: see `hmacPads`.
 */
function keyedHash(expression: string): string {
  const inner = `concat(unhex(:hmac_inner_pad), encode(${expression}, 'UTF-8'))`;
  return `sha2(concat(unhex(:hmac_outer_pad), unhex(sha2(${inner}, 256))), 256)`;
}

function padsOf(model: Model, { pseudonymKey }: ModelContext) {
  if (pseudonymKey !== undefined) return hmacPads(pseudonymKey);
  throw new IcewrightError(
    'ConfigInvalid',
    `${model.name} makes keyed hashes, and there is no key: set ICEWRIGHT_PSEUDONYM_KEY`,
    { model: model.name },
  );
}

function settingsOf(model: Model, { runId, inputs }: ModelContext): Record<string, string> {
  const read = Object.fromEntries(model.inputs.map((key) => [key, inputs[key]]));
  return {
    [`${SNAPSHOT_PROPERTY}.${RUN_ID_PROPERTY}`]: runId,
    [`${SNAPSHOT_PROPERTY}.${MODEL_PROPERTY}`]: model.name,
    [`${SNAPSHOT_PROPERTY}.${MODEL_DIGEST_PROPERTY}`]: model.digest,
    [`${SNAPSHOT_PROPERTY}.${INPUTS_PROPERTY}`]: JSON.stringify(read),
    'spark.sql.sources.partitionOverwriteMode':
      model.materialization === 'overwrite_partitions' ? 'dynamic' : 'static',
  };
}

function compileEnsure(model: Model): readonly Statement[] {
  const { catalog, namespace } = model.target;
  const schema = `${quoteIdentifier(catalog)}.${quotePath(namespace)}`;
  const columns = model.columns.map(
    ({ name, type }) => `  ${quoteIdentifier(name)} ${typeText(type)}`,
  );
  const lines = [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(model.target)} (`,
    columns.join(',\n'),
    ') USING iceberg',
  ];
  if (model.partitioning.length > 0) {
    lines.push(`PARTITIONED BY (${model.partitioning.map(partitionText).join(', ')})`);
  }
  lines.push(`COMMENT ${quoteText(model.description)}`);
  const properties = Object.entries(model.properties);
  if (properties.length > 0) {
    const pairs = properties.map(([name, value]) => `  ${quoteText(name)} = ${quoteText(value)}`);
    lines.push('TBLPROPERTIES (', pairs.join(',\n'), ')');
  }
  return [
    { engine: 'spark', sql: `CREATE NAMESPACE IF NOT EXISTS ${schema}` },
    { engine: 'spark', sql: lines.join('\n') },
  ];
}

function typeText(text: string): string {
  const type = parseColumnType(text);
  if (type === null) throw new IcewrightError('ModelInvalid', `"${text}" is not a type`);
  if (type.kind === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`;
  return SPARK_TYPES[type.kind];
}

const SPARK_TYPES: Readonly<Record<Exclude<ColumnType['kind'], 'decimal'>, string>> = {
  boolean: 'BOOLEAN',
  int: 'INT',
  bigint: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  string: 'STRING',
  binary: 'BINARY',
  date: 'DATE',
  timestamp: 'TIMESTAMP_NTZ',
  timestamptz: 'TIMESTAMP',
};

function partitionText(text: string): string {
  const transform = parsePartition(text);
  if (transform === null) throw new IcewrightError('ModelInvalid', `"${text}" is no partitioning`);
  const column = quoteIdentifier(transform.column);
  if (transform.kind === 'identity') return column;
  return 'size' in transform
    ? `${transform.kind}(${transform.size}, ${column})`
    : `${transform.kind}s(${column})`;
}

function compileWrite(model: Model, select: string): string {
  const { materialization } = model;
  switch (materialization) {
    case 'append':
      return insert('INSERT INTO', model, select);
    case 'overwrite_partitions':
    case 'replace':
      return insert('INSERT OVERWRITE', model, select);
    case 'merge':
      return merge(model, select);
    default:
      return assertNever(materialization);
  }
}

function insert(verb: string, model: Model, select: string): string {
  const names = model.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return `${verb} ${quoteTable(model.target)} (${names})\nSELECT ${names} FROM (\n${select}\n) AS s`;
}

/**
 * The source holds only rows that change something. Without that, a copy-on-write target would have
 * every file rewritten whose keys occur in the result, even where nothing differs.
 */
function merge(model: Model, select: string): string {
  const { key, deletedWhen } = model;
  const target = quoteTable(model.target);
  const pairs = (names: readonly string[], join: string, compare: string) =>
    names
      .map((name) => `t.${quoteIdentifier(name)} ${compare} s.${quoteIdentifier(name)}`)
      .join(join);
  const names = model.columns.map(({ name }) => name);
  const values = names.filter((name) => !key.includes(name));
  const differs =
    model.changedWhen ?? (pairs(values, '\n      OR ', 'IS DISTINCT FROM') || 'false');
  const there = `t.${quoteIdentifier(key[0] as string)} IS NOT NULL`;
  const wanted = `NOT (${there})\n      OR ${differs}`;
  const deleted = deletedWhen === null ? null : `s.${quoteIdentifier(deletedWhen)}`;
  const where =
    deleted === null ? wanted : `CASE WHEN ${deleted} THEN ${there} ELSE\n      ${wanted}\n    END`;
  const list = names.map(quoteIdentifier).join(', ');
  return [
    `MERGE INTO ${target} AS t`,
    `USING (\n  SELECT s.* FROM (\n${select}\n  ) AS s`,
    `  LEFT JOIN ${target} AS t ON ${pairs(key, ' AND ', '=')}`,
    `  WHERE ${where}\n) AS s`,
    `ON ${pairs(key, ' AND ', '=')}`,
    ...(deleted === null ? [] : [`WHEN MATCHED AND ${deleted} THEN DELETE`]),
    ...(values.length === 0 ? [] : [`WHEN MATCHED THEN UPDATE SET ${pairs(values, ', ', '=')}`]),
    `WHEN NOT MATCHED THEN INSERT (${list})`,
    `  VALUES (${names.map((name) => `s.${quoteIdentifier(name)}`).join(', ')})`,
  ].join('\n');
}
