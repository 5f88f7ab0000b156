/** Tables for `bench:compaction`: made once, the same ones on every machine. */

export const NAMESPACE = 'bench_compaction';

export interface Shape {
  readonly name: string;
  /** What is special about it. */
  readonly about: string;
  readonly columns: string;
  readonly partitioned: string;
  /** Run once, in order; `$T` is the table. */
  readonly fill: readonly string[];
}

const ROWS = 15_000_000;
/** Some 40 bytes a row under zstd: keys in order, random numbers and text. */
const COLUMNS =
  'event_id BIGINT, session_key BIGINT, ts TIMESTAMP, amount DECIMAL(12,2), note STRING, quantity INT';

/** @param days over which the rows are spread; 1: all on one day */
function events(range: string, days: number): string {
  return `INSERT INTO $T SELECT id, xxhash64(id),
    timestamp_micros(1767225600000000 + pmod(id, ${days}) * 86400000000
      + pmod(xxhash64(id, 1), 86400000000)),
    cast(pmod(xxhash64(id, 2), 100000) / 100 AS DECIMAL(12,2)),
    hex(xxhash64(id, 3)) || hex(xxhash64(id, 4)),
    cast(pmod(xxhash64(id, 5), 2147483647) AS INT) FROM range(${range})`;
}

const WIDE = Array.from({ length: 120 }, (_, at) => at);

export const SHAPES: readonly Shape[] = [
  {
    name: 'p1',
    about: '600 MB in 200 files over 5 day partitions',
    columns: COLUMNS,
    partitioned: 'PARTITIONED BY (days(ts))',
    fill: [events(`0, ${ROWS}, 1, 40`, 5)],
  },
  {
    name: 'u1',
    about: '600 MB in 200 files without partitions',
    columns: COLUMNS,
    partitioned: '',
    fill: [events(`0, ${ROWS}, 1, 200`, 5)],
  },
  {
    name: 'few',
    about: '6 files of 20 MB',
    columns: COLUMNS,
    partitioned: '',
    fill: [events('0, 3000000, 1, 6', 5)],
  },
  {
    name: 'tiny',
    about: '1,000 files of 100 KB',
    columns: COLUMNS,
    partitioned: '',
    fill: [events('0, 2500000, 1, 1000', 5)],
  },
  {
    name: 'skew',
    about: 'one partition of 160 MB in 60 files beside 30 of 0.5 MB in 6',
    columns: COLUMNS,
    partitioned: 'PARTITIONED BY (days(ts))',
    fill: [events('0, 4000000, 1, 60', 1), events('0, 360000, 1, 6', 30)],
  },
  {
    name: 'wide',
    about: '120 columns, 160 MB in 40 files',
    columns: WIDE.map((at) => `c${at} BIGINT`).join(', '),
    partitioned: '',
    fill: [
      `INSERT INTO $T SELECT ${WIDE.map((at) => `pmod(xxhash64(id, ${at}), ${at * at * 50 + 2})`).join(', ')}
       FROM range(0, 600000, 1, 40)`,
    ],
  },
  {
    name: 'deletes',
    about: '160 MB in 60 files over 3 partitions, a tenth of the rows deleted by position',
    columns: COLUMNS,
    partitioned: 'PARTITIONED BY (days(ts))',
    fill: [events('0, 4000000, 1, 20', 3), 'DELETE FROM $T WHERE pmod(event_id, 10) = 3'],
  },
];

export function createSql({ name, columns, partitioned }: Shape): string {
  return `CREATE TABLE lake.${NAMESPACE}.${name} (${columns}) USING iceberg ${partitioned}
    TBLPROPERTIES ('format-version' = '2', 'write.distribution-mode' = 'none',
      'write.delete.mode' = 'merge-on-read', 'write.parquet.compression-codec' = 'zstd')`;
}
