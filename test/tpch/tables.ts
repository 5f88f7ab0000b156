/**
 * TPC-H's eight tables on the lake, from Trino's generator, with the column names and types of the
 * specification; `lineitem` in as bad a state as a table gets: hundreds of small files and deletes.
 */
import type { Lake } from '../live/lake.ts';

/** Columns without the table's prefix, as the generator names them, and the specification's type. */
const TABLES: Readonly<Record<string, { readonly prefix: string; readonly columns: string }>> = {
  region: { prefix: 'r', columns: 'regionkey, name, comment' },
  nation: { prefix: 'n', columns: 'nationkey, name, regionkey, comment' },
  supplier: {
    prefix: 's',
    columns: 'suppkey, name, address, nationkey, phone, acctbal:money, comment',
  },
  part: {
    prefix: 'p',
    columns: 'partkey, name, mfgr, brand, type, size, container, retailprice:money, comment',
  },
  partsupp: { prefix: 'ps', columns: 'partkey, suppkey, availqty, supplycost:money, comment' },
  customer: {
    prefix: 'c',
    columns: 'custkey, name, address, nationkey, phone, acctbal:money, mktsegment, comment',
  },
  orders: {
    prefix: 'o',
    columns:
      'orderkey, custkey, orderstatus, totalprice:money, orderdate, orderpriority, clerk, ' +
      'shippriority, comment',
  },
  lineitem: {
    prefix: 'l',
    columns:
      'orderkey, partkey, suppkey, linenumber, quantity:money, extendedprice:money, ' +
      'discount:money, tax:money, returnflag, linestatus, shipdate, commitdate, receiptdate, ' +
      'shipinstruct, shipmode, comment',
  },
};

export const TABLE_NAMES = Object.keys(TABLES);

/** Sums of floating point numbers hang on the order of the rows; decimals do not. */
function selection(table: string): string {
  const { prefix, columns } = TABLES[table] as { prefix: string; columns: string };
  return columns
    .split(',')
    .map((column) => {
      const [name = '', type] = column.trim().split(':');
      const value = type === undefined ? name : `CAST(${name} AS DECIMAL(12,2))`;
      return `${value} AS ${prefix}_${name}`;
    })
    .join(', ');
}

export interface Shape {
  /** `lake.tpch` */
  readonly schema: string;
  readonly scale: number;
  /** Of `lineitem`, by the day of shipment: 84 months, or 7 years. */
  readonly partitionedBy: 'month' | 'year';
  /** Writes of `lineitem`: each leaves a file in each partition. */
  readonly batches: number;
  /** Whether times are wanted, and engines are to be warm for the first. */
  readonly warm: boolean;
}

/** Makes all tables anew; `lineitem` of `batches` files a partition, with updates and deletes on top. */
export async function makeTables(lake: Lake, shape: Shape): Promise<void> {
  const { schema } = shape;
  await lake.trino(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  for (const table of TABLE_NAMES) {
    await lake.trino(`DROP TABLE IF EXISTS ${schema}.${table}`);
    const source = `SELECT ${selection(table)} FROM tpch."sf${shape.scale}".${table}`;
    if (table === 'lineitem') await makeLineitem(lake, shape, source);
    else await lake.trino(`CREATE TABLE ${schema}.${table} AS ${source}`);
  }
}

async function makeLineitem(lake: Lake, shape: Shape, source: string): Promise<void> {
  const table = `${shape.schema}.lineitem`;
  for (let batch = 0; batch < shape.batches; batch += 1) {
    const part = `${source} WHERE orderkey % ${shape.batches} = ${batch}`;
    await lake.trino(
      batch === 0
        ? `CREATE TABLE ${table} WITH (partitioning = ARRAY['${shape.partitionedBy}(l_shipdate)']) AS ${part}`
        : `INSERT INTO ${table} ${part}`,
    );
  }
  // Trino writes position deletes: of about 2 % of the rows in all, in every partition.
  await lake.trino(
    `UPDATE ${table} SET l_comment = 'updated', l_quantity = l_quantity + 1 WHERE l_orderkey % 97 = 0`,
  );
  await lake.trino(`DELETE FROM ${table} WHERE l_orderkey % 89 = 0`);
}

/** A copy of `lineitem` of format version 3: its deletes are deletion vectors, written by Spark. */
export async function copyAsV3(lake: Lake, { schema, partitionedBy }: Shape): Promise<void> {
  const table = `${schema}.lineitem_v3`;
  await lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await lake.spark(
    `CREATE TABLE ${table} USING iceberg PARTITIONED BY (${partitionedBy}s(l_shipdate)) TBLPROPERTIES (
       'format-version' = '3', 'write.delete.mode' = 'merge-on-read',
       'write.update.mode' = 'merge-on-read')
     AS SELECT * FROM ${schema}.lineitem WHERE l_orderkey % 2 = 0`,
  );
  await lake.spark(
    `INSERT INTO ${table} SELECT * FROM ${schema}.lineitem WHERE l_orderkey % 2 = 1`,
  );
  await lake.spark(`DELETE FROM ${table} WHERE l_orderkey % 83 = 0`);
}
