/**
 * Models as Trino statements. Pure. Trino can put no property of ours into a snapshot: neither run
 * id nor watermark. Its commits are known by the query id that Trino itself writes there, and only
 * models that need no watermark run on it: those that append what their target does not hold yet.
 */
import type { Statement } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { CompiledModel, Model, ModelContext } from '../../domain/model/model.ts';
import { renderMacros } from '../../domain/model/sql.ts';
import { type ColumnType, parseColumnType, parsePartition } from '../../domain/model/types.ts';
import { parseTable, tableFromKey, tableKey } from '../../domain/table.ts';
import { quoteIdentifier, quoteTable, quoteText } from './quote.ts';

/**
 * The statements of one run of a model.
 * Throws `OperationUnsupported` for a materialization other than `append`, `Internal` when an input
 * has no pinned snapshot, `ModelInvalid` for a keyed hash.
 */
export function compileModel(model: Model, context: ModelContext): CompiledModel {
  if (model.materialization !== 'append') {
    throw new IcewrightError(
      'OperationUnsupported',
      `${model.name}: ${model.materialization} is not for Trino, which cannot record what it read ` +
        'in the snapshot; use engine spark',
      { model: model.name },
    );
  }
  const select = renderMacros(model.sql, {
    input: (table) => pinnedRead(model, context, table),
    target: () => quoteTable(model.target),
    keyedHash: () => {
      throw new IcewrightError('ModelInvalid', `${model.name}: keyed_hash needs engine spark`);
    },
  });
  const names = model.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const write: Statement = {
    engine: 'trino',
    sql: `INSERT INTO ${quoteTable(model.target)} (${names})\nSELECT ${names} FROM (\n${select}\n) AS s`,
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
  return `${quoteTable(tableFromKey(key))} FOR VERSION AS OF ${snapshotId}`;
}

function compileEnsure(model: Model): readonly Statement[] {
  const { catalog, namespace } = model.target;
  const schema = `${quoteIdentifier(catalog)}.${quoteIdentifier(namespace)}`;
  const columns = model.columns.map(
    ({ name, type }) => `  ${quoteIdentifier(name)} ${typeText(type)}`,
  );
  const lines = [
    `CREATE TABLE IF NOT EXISTS ${quoteTable(model.target)} (`,
    columns.join(',\n'),
    ')',
    `COMMENT ${quoteText(model.description)}`,
    `WITH (${tableProperties(model).join(', ')})`,
  ];
  return [
    { engine: 'trino', sql: `CREATE SCHEMA IF NOT EXISTS ${schema}` },
    { engine: 'trino', sql: lines.join('\n') },
  ];
}

/** Iceberg properties that Trino has its own names for; it refuses them under Iceberg's. */
const FORMAT_VERSION = 'format-version';

/**
 * All other properties go through `extra_properties`, which Trino accepts only where the catalog
 * is configured with `iceberg.allowed-extra-properties`.
 */
function tableProperties(model: Model): readonly string[] {
  const { [FORMAT_VERSION]: formatVersion = '2', ...extra } = model.properties;
  const found = [`format = 'PARQUET'`, `format_version = ${Number(formatVersion)}`];
  if (model.partitioning.length > 0) {
    const fields = model.partitioning.map((text) => quoteText(partitionText(text)));
    found.push(`partitioning = ARRAY[${fields.join(', ')}]`);
  }
  const names = Object.keys(extra).map(quoteText);
  if (names.length > 0) {
    const values = Object.values(extra).map(quoteText);
    found.push(`extra_properties = MAP(ARRAY[${names.join(', ')}], ARRAY[${values.join(', ')}])`);
  }
  return found;
}

function typeText(text: string): string {
  const type = parseColumnType(text);
  if (type === null) throw new IcewrightError('ModelInvalid', `"${text}" is not a type`);
  if (type.kind === 'decimal') return `decimal(${type.precision}, ${type.scale})`;
  return TRINO_TYPES[type.kind];
}

const TRINO_TYPES: Readonly<Record<Exclude<ColumnType['kind'], 'decimal'>, string>> = {
  boolean: 'boolean',
  int: 'integer',
  bigint: 'bigint',
  float: 'real',
  double: 'double',
  string: 'varchar',
  binary: 'varbinary',
  date: 'date',
  timestamp: 'timestamp(6)',
  timestamptz: 'timestamp(6) with time zone',
};

function partitionText(text: string): string {
  const transform = parsePartition(text);
  if (transform === null) throw new IcewrightError('ModelInvalid', `"${text}" is no partitioning`);
  if (transform.kind === 'identity') return transform.column;
  return 'size' in transform
    ? `${transform.kind}(${transform.column}, ${transform.size})`
    : `${transform.kind}(${transform.column})`;
}
