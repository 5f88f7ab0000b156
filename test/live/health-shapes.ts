/** Tables of every shape that Spark can make. */
import type { Lake } from './lake.ts';

/** So small that there are files on both sides of it. */
const TARGET_BYTES = 2_400;

export interface Shape {
  readonly columns?: string;
  readonly partitioning?: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** `$t` is the table, `$n` its name without the catalog. */
  readonly steps?: readonly string[];
  /** Column of the sort order. */
  readonly clustered?: string;
  /** What PyIceberg cannot read, and why. */
  readonly pyIceberg?: string;
}

const rows = (from: number, count: number, day = '2024-02-29') =>
  `INSERT INTO $t SELECT CAST(id AS bigint) id, DATE '${day}' day, concat('n', id % 3) name,
     TIMESTAMP '${day} 13:00:00' + make_interval(0, 0, 0, 0, id % 3) at
   FROM range(${from}, ${from + count})`;
const TWICE = [rows(0, 50), rows(50, 700, '2024-03-01')];
const V1 = { 'format-version': '1' };
const V3 = { 'format-version': '3' };
const MERGE_ON_READ = { 'write.delete.mode': 'merge-on-read' };

export const SHAPES: Readonly<Record<string, Shape>> = {
  plain: {},
  by_identity: { partitioning: 'name, day' },
  by_bucket: { partitioning: 'bucket(4, id)' },
  by_truncate: { partitioning: 'truncate(2, name)' },
  by_year: { partitioning: 'years(at)' },
  by_month: { partitioning: 'months(at)' },
  by_day: { partitioning: 'days(at)' },
  by_hour: { partitioning: 'hours(at)', properties: V1 },
  by_nothing_any_more: {
    partitioning: 'name',
    properties: V1,
    steps: ['ALTER TABLE $t DROP PARTITION FIELD name', rows(900, 30)],
  },
  evolved: {
    partitioning: 'day',
    steps: [
      'ALTER TABLE $t ADD PARTITION FIELD bucket(2, id)',
      rows(1000, 20),
      'ALTER TABLE $t DROP PARTITION FIELD day',
      rows(2000, 20),
    ],
  },
  upgraded: {
    properties: V1,
    partitioning: 'day',
    steps: [
      `ALTER TABLE $t SET TBLPROPERTIES ('format-version' = '2')`,
      rows(800, 20),
      `ALTER TABLE $t SET TBLPROPERTIES ('format-version' = '3',
         'write.delete.mode' = 'merge-on-read')`,
      rows(900, 20),
      'DELETE FROM $t WHERE id = 805',
    ],
    pyIceberg: 'counts a deletion vector by its whole file',
  },
  position_deletes: {
    partitioning: 'day',
    properties: MERGE_ON_READ,
    steps: ['DELETE FROM $t WHERE id IN (3, 60)', 'DELETE FROM $t WHERE id = 61'],
  },
  vectors: {
    partitioning: 'bucket(3, id)',
    properties: { ...V3, ...MERGE_ON_READ },
    steps: ['DELETE FROM $t WHERE id < 20', 'DELETE FROM $t WHERE id = 100'],
    pyIceberg: 'counts a deletion vector by its whole file',
  },
  refs: {
    steps: [
      'ALTER TABLE $t CREATE BRANCH audit',
      'ALTER TABLE $t CREATE TAG kept RETAIN 30 DAYS',
      rows(5000, 10),
      'ALTER TABLE $t CREATE OR REPLACE BRANCH other',
    ],
  },
  dropped: {
    steps: [
      'ALTER TABLE $t DROP COLUMN day',
      'ALTER TABLE $t RENAME COLUMN name TO called',
      `INSERT INTO $t SELECT 7L, 'x', TIMESTAMP '2024-03-04 00:00:00'`,
    ],
  },
  nested: {
    columns: 'id bigint, who struct<name: string, tags: array<map<string, int>>>',
    partitioning: 'truncate(3, who.name)',
    steps: [
      `INSERT INTO $t SELECT id, named_struct('name', concat('abc', id), 'tags',
         array(map('a', 1))) FROM range(40)`,
    ],
  },
  sorted: {
    steps: [
      'ALTER TABLE $t WRITE ORDERED BY id',
      rows(700, 100),
      rows(0, 100),
      'INSERT INTO $t VALUES (NULL, NULL, NULL, NULL)',
    ],
    clustered: 'id',
  },
  sorted_in_days: {
    partitioning: 'day',
    steps: ['ALTER TABLE $t WRITE ORDERED BY at, id', rows(100, 300), rows(0, 300, '2024-03-01')],
    clustered: 'id',
  },
  rewritten: {
    partitioning: 'day',
    steps: [
      rows(10, 10),
      `DELETE FROM $t WHERE day = DATE '2024-02-29'`,
      `CALL lake.system.rewrite_manifests('$n')`,
    ],
  },
};

/** Makes the table by Spark alone. */
export async function makeShape(lake: Lake, table: string, shape: Shape): Promise<void> {
  const columns = shape.columns ?? 'id bigint, day date, name string, at timestamp';
  const by = shape.partitioning === undefined ? '' : `PARTITIONED BY (${shape.partitioning})`;
  const properties = {
    'format-version': '2',
    'write.target-file-size-bytes': String(TARGET_BYTES),
    ...shape.properties,
  };
  const told = Object.entries(properties).map(([key, value]) => `'${key}' = '${value}'`);
  await lake.spark(
    `CREATE TABLE ${table} (${columns}) USING iceberg ${by} TBLPROPERTIES (${told.join()})`,
  );
  const first = shape.columns === undefined ? TWICE : [];
  const name = table.replace(/^lake\./, '');
  for (const step of [...first, ...(shape.steps ?? [])]) {
    await lake.spark(step.replaceAll('$t', table).replaceAll('$n', name));
  }
}
