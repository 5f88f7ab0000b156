import { describe, expect, test } from 'vitest';
import type { Model } from '../../src/domain/model/model.ts';
import { compileModel as compileSpark } from '../../src/engines/spark/compile-model.ts';
import { compileModel as compileTrino } from '../../src/engines/trino/compile-model.ts';
import { modelOf } from '../domain/model/fixture.ts';

const COLUMNS: Model['columns'] = [
  { name: 'order_id', type: 'bigint', pii: 'none' },
  { name: 'total', type: 'decimal(10,2)', pii: 'none' },
  { name: 'at', type: 'timestamptz', pii: 'none' },
];
const CONTEXT = { runId: 'r1', inputs: { 'lake.bronze.raw_orders': '42', 'lake.bronze.b': '7' } };
const base = modelOf('silver.orders', {
  columns: COLUMNS,
  partitioning: ['day(at)', 'bucket(4, order_id)', 'order_id', 'truncate(10, order_id)'],
  properties: { 'format-version': '2', 'write.parquet.compression-codec': 'zstd' },
  description: "The shop's orders.",
  inputs: ['lake.bronze.raw_orders', 'lake.bronze.b'],
  sql: `SELECT * FROM {{input('bronze.raw_orders')}} JOIN {{input('lake.bronze.b')}}`,
});

describe('ensure', () => {
  test('Spark: namespace and table, nothing else', () => {
    const { ensure } = compileSpark(base, CONTEXT);
    expect(ensure.map((one) => one.sql)).toEqual([
      'CREATE NAMESPACE IF NOT EXISTS `lake`.`silver`',
      [
        'CREATE TABLE IF NOT EXISTS `lake`.`silver`.`orders` (',
        '  `order_id` BIGINT,',
        '  `total` DECIMAL(10, 2),',
        '  `at` TIMESTAMP',
        ') USING iceberg',
        'PARTITIONED BY (days(`at`), bucket(4, `order_id`), `order_id`, truncate(10, `order_id`))',
        "COMMENT 'The shop\\'s orders.'",
        'TBLPROPERTIES (',
        "  'format-version' = '2',",
        "  'write.parquet.compression-codec' = 'zstd'",
        ')',
      ].join('\n'),
    ]);
  });

  test('Trino: the same table in its own words', () => {
    const { ensure } = compileTrino({ ...base, materialization: 'append' }, CONTEXT);
    expect(ensure.map((one) => one.sql)).toEqual([
      'CREATE SCHEMA IF NOT EXISTS "lake"."silver"',
      [
        'CREATE TABLE IF NOT EXISTS "lake"."silver"."orders" (',
        '  "order_id" bigint,',
        '  "total" decimal(10, 2),',
        '  "at" timestamp(6) with time zone',
        ')',
        "COMMENT 'The shop''s orders.'",
        "WITH (format = 'PARQUET', format_version = 2, " +
          "partitioning = ARRAY['day(at)', 'bucket(order_id, 4)', 'order_id', " +
          "'truncate(order_id, 10)'], " +
          "extra_properties = MAP(ARRAY['write.parquet.compression-codec'], ARRAY['zstd']))",
      ].join('\n'),
    ]);
  });
});

describe('write on Spark', () => {
  const names = '`order_id`, `total`, `at`';
  const select =
    'SELECT * FROM `lake`.`bronze`.`raw_orders` VERSION AS OF 42 ' +
    'JOIN `lake`.`bronze`.`b` VERSION AS OF 7';

  test.each([
    ['append', 'INSERT INTO', 'static'],
    ['replace', 'INSERT OVERWRITE', 'static'],
    ['overwrite_partitions', 'INSERT OVERWRITE', 'dynamic'],
  ] as const)('%s is %s', (materialization, verb, mode) => {
    const { write } = compileSpark({ ...base, materialization }, CONTEXT);
    expect(write.sql).toBe(
      `${verb} \`lake\`.\`silver\`.\`orders\` (${names})\nSELECT ${names} FROM (\n${select}\n) AS s`,
    );
    expect(write.settings?.['spark.sql.sources.partitionOverwriteMode']).toBe(mode);
    expect(write.parameters).toBeUndefined();
  });

  test('the snapshot will carry the run, the model, and exactly what was read', () => {
    expect(compileSpark(base, CONTEXT).write.settings).toEqual({
      'spark.sql.iceberg.snapshot-property.icewright.run-id': 'r1',
      'spark.sql.iceberg.snapshot-property.icewright.model': 'silver.orders',
      'spark.sql.iceberg.snapshot-property.icewright.model-digest': 'd1',
      'spark.sql.iceberg.snapshot-property.icewright.inputs':
        '{"lake.bronze.raw_orders":"42","lake.bronze.b":"7"}',
      'spark.sql.sources.partitionOverwriteMode': 'static',
    });
  });

  test('merge touches only rows that change', () => {
    const model: Model = {
      ...base,
      materialization: 'merge',
      key: ['order_id'],
      deletedWhen: 'gone',
      inputs: [],
      sql: 'SELECT 1',
    };
    expect(compileSpark(model, CONTEXT).write.sql).toBe(
      `MERGE INTO \`lake\`.\`silver\`.\`orders\` AS t
USING (
  SELECT s.* FROM (
SELECT 1
  ) AS s
  LEFT JOIN \`lake\`.\`silver\`.\`orders\` AS t ON t.\`order_id\` = s.\`order_id\`
  WHERE CASE WHEN s.\`gone\` THEN t.\`order_id\` IS NOT NULL ELSE
      NOT (t.\`order_id\` IS NOT NULL)
      OR t.\`total\` IS DISTINCT FROM s.\`total\`
      OR t.\`at\` IS DISTINCT FROM s.\`at\`
    END
) AS s
ON t.\`order_id\` = s.\`order_id\`
WHEN MATCHED AND s.\`gone\` THEN DELETE
WHEN MATCHED THEN UPDATE SET t.\`total\` = s.\`total\`, t.\`at\` = s.\`at\`
WHEN NOT MATCHED THEN INSERT (${names})
  VALUES (s.\`order_id\`, s.\`total\`, s.\`at\`)`,
    );
  });

  test('the key of hashes is in no text, and a model that hashes is refused without one', () => {
    const hashing = { ...base, sql: `SELECT {{keyed_hash('email')}} AS h`, inputs: [] };
    const pseudonymKey = 'ab'.repeat(32);
    const { write } = compileSpark(hashing, { ...CONTEXT, pseudonymKey });
    expect(Object.keys(write.parameters ?? {})).toEqual(['hmac_inner_pad', 'hmac_outer_pad']);
    expect(write.sql).not.toContain('abab');
    expect(JSON.stringify(write.settings)).not.toContain('abab');
    expect(() => compileSpark(hashing, CONTEXT)).toThrow(/set ICEWRIGHT_PSEUDONYM_KEY/);
  });

  test('an input that is not pinned, or not by a number, is never read', () => {
    const none = { ...CONTEXT, inputs: {} };
    expect(() => compileSpark(base, none)).toThrow(/lake.bronze.raw_orders.*not pinned/);
    const odd = { ...CONTEXT, inputs: { 'lake.bronze.raw_orders': '1; DROP TABLE t' } };
    expect(() => compileSpark(base, odd)).toThrow(/not pinned/);
  });
});

describe('write on Trino', () => {
  test('append reads pinned inputs and its own target', () => {
    const model: Model = {
      ...base,
      engine: 'trino',
      materialization: 'append',
      sql: `SELECT * FROM {{input('bronze.b')}} WHERE at > (SELECT max(at) FROM {{target}})`,
    };
    const { write } = compileTrino(model, CONTEXT);
    expect(write).toEqual({
      engine: 'trino',
      sql:
        'INSERT INTO "lake"."silver"."orders" ("order_id", "total", "at")\n' +
        'SELECT "order_id", "total", "at" FROM (\n' +
        'SELECT * FROM "lake"."bronze"."b" FOR VERSION AS OF 7 ' +
        'WHERE at > (SELECT max(at) FROM "lake"."silver"."orders")\n) AS s',
    });
  });

  test.each(['merge', 'replace', 'overwrite_partitions'] as const)('%s is refused', (how) => {
    expect(() => compileTrino({ ...base, materialization: how }, CONTEXT)).toThrow(
      /use engine spark/,
    );
  });
});
