/** Direct access to engines and catalog, past Icewright's workflows: for making and checking tables. */
import { expect } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { EngineRow } from '../../src/domain/engine.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { openCatalog } from '../../src/lake.ts';

export interface Lake {
  spark(sql: string): Promise<readonly EngineRow[]>;
  trino(sql: string): Promise<readonly EngineRow[]>;
  measure(table: string): Promise<TableHealth>;
  close(): Promise<void>;
}

export function openLake(name: string): Lake {
  const config = readConfig();
  const deployment = `${name}-${process.pid}`;
  const catalogName = config.catalog.name;
  const spark = createSparkRunner({ url: config.spark.url, deployment, catalog: catalogName });
  const trino = createTrinoRunner({ ...config.trino, catalog: catalogName });
  const catalog = openCatalog(config);
  let serial = 0;
  const run = async (runner: typeof spark, sql: string) => {
    serial += 1;
    const key = `${deployment}/${serial}`;
    const result = await runner.run({ engine: runner.name, sql }, { key, session: name });
    await result.release();
    return result.rows;
  };
  return {
    spark: (sql) => run(spark, sql),
    trino: (sql) => run(trino, sql),
    measure: (table) =>
      catalog.measureTable(tableFromKey(table), { nowMs: Date.now(), depth: 'files' }),
    close: async () => {
      await Promise.all([spark.close(), trino.close()]);
    },
  };
}

/** Asks the catalog itself: engines load a table before they drop it. */
async function askCatalog(method: string, path: string, body?: unknown) {
  const { url, token } = readConfig().catalog;
  const answer = await fetch(`${url}/v1/${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, json: text === '' ? null : (JSON.parse(text) as unknown) };
}

/** Drops a broken table, which would stand in the way of other tests: no engine can load it. */
export async function forgetTable(table: string): Promise<void> {
  const [, namespace, name] = table.split('.');
  const path = `namespaces/${namespace}/tables/${name}?purgeRequested=false`;
  expect([table, (await askCatalog('DELETE', path)).status]).toEqual([table, 204]);
}

export interface Scatter {
  readonly files: number;
  /** In all files together. */
  readonly rows: number;
  /** Bytes of random text in each row, in steps of 64: what makes a rewrite long. Default 64. */
  readonly noteBytes?: number;
}

/** A table of small files, rows scattered over all of them. */
export async function makeScattered(
  lake: Lake,
  table: string,
  { files, rows, noteBytes = 64 }: Scatter,
): Promise<void> {
  const [, namespace] = table.split('.');
  const hashes = Array.from({ length: noteBytes / 64 }, (_, at) => `sha2(concat(id, ${at}), 256)`);
  const note = `concat(${hashes.join(', ')})`;
  await lake.spark(`CREATE NAMESPACE IF NOT EXISTS lake.${namespace}`);
  await lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await lake.spark(
    `CREATE TABLE ${table} (customer_id BIGINT, ts TIMESTAMP, amount DECIMAL(12,2), note STRING)
     USING iceberg TBLPROPERTIES ('format-version' = '2', 'write.distribution-mode' = 'none')`,
  );
  await lake.spark(
    `INSERT INTO ${table} SELECT /*+ REPARTITION(${files}) */
       pmod(xxhash64(id), 10000), timestamp_seconds(1767225600 + pmod(xxhash64(id, 1), 7776000)),
       cast(pmod(xxhash64(id, 2), 100000) / 100 AS DECIMAL(12,2)), ${note}
     FROM range(${rows})`,
  );
}

/** A checksum of all rows, whatever file they are in. */
export async function checksum(lake: Lake, table: string): Promise<EngineRow | undefined> {
  const rows = await lake.trino(
    `SELECT count(*) AS n, sum(amount) AS amount, checksum(customer_id) AS customers,
       checksum(ts) AS times, checksum(note) AS notes FROM ${table}`,
  );
  return rows[0];
}

/** Snapshots that a rewrite made, oldest first. */
export function replaces(health: TableHealth): readonly string[] {
  return health.snapshots.filter((one) => one.operation === 'replace').map((one) => one.snapshotId);
}

/** No two operations of one table were under way at the same time. */
export function expectApart(receipts: readonly Receipt[]): void {
  const spans = [...receipts].sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  for (const [at, span] of spans.entries()) {
    const next = spans[at + 1];
    if (next !== undefined) expect(span.finishedAt <= next.startedAt).toBe(true);
  }
}
