/** Tables of every format version for the matrix, and statements in the engines past the planner. */
import { expect } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { beforeOf } from '../../src/domain/before-operation.ts';
import { checkEffect, hasChanged } from '../../src/domain/effect.ts';
import type { Compiled, EngineName, EngineRow, Statement } from '../../src/domain/engine.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { checkInvariants } from '../../src/domain/invariants.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import * as sparkCompile from '../../src/engines/spark/compile.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import * as trinoCompile from '../../src/engines/trino/compile.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { openCatalog } from '../../src/lake.ts';

export type Version = 1 | 2 | 3;
export const VERSIONS = [1, 2, 3] as const satisfies readonly Version[];
export const NAMESPACE = 'capability';

export function nameOf(version: Version, role = 't'): string {
  return `lake.${NAMESPACE}.${role}${version}`;
}

export interface Performed {
  readonly before: TableHealth;
  readonly after: TableHealth;
}

export interface Engines {
  run(engine: EngineName, sql: string, more?: Partial<Statement>): Promise<readonly EngineRow[]>;
  /** What the engine says against it; fails when it says nothing. */
  refusal(engine: EngineName, sql: string, more?: Partial<Statement>): Promise<string>;
  measure(table: string): Promise<TableHealth>;
  /** Compiles and runs the operation; it must change the table and keep every row. */
  perform(engine: EngineName, table: string, operation: Operation): Promise<Performed>;
  close(): Promise<void>;
}

export function openEngines(): Engines {
  const config = readConfig();
  const name = `capability-${process.pid}`;
  const catalogName = config.catalog.name;
  const runners = {
    spark: createSparkRunner({ url: config.spark.url, deployment: name, catalog: catalogName }),
    trino: createTrinoRunner({ ...config.trino, catalog: catalogName }),
  };
  const compilers = { spark: sparkCompile, trino: trinoCompile };
  const catalog = openCatalog(config);
  let serial = 0;
  const run: Engines['run'] = async (engine, sql, more = {}) => {
    serial += 1;
    const key = `${name}/${serial}`;
    const result = await runners[engine].run({ engine, sql, ...more }, { key, session: name });
    await result.release();
    return result.rows;
  };
  const measure: Engines['measure'] = (table) =>
    catalog.measureTable(tableFromKey(table), { nowMs: Date.now(), depth: 'files' });
  const perform: Engines['perform'] = async (engine, table, operation) => {
    const before = await measure(table);
    const rows = await contentOf(run, table);
    for (const { sql, settings } of statements(
      compilers[engine].compileOperation(tableFromKey(table), operation),
    )) {
      await run(engine, sql, settings === undefined ? {} : { settings });
    }
    const after = await measure(table);
    expect(await contentOf(run, table)).toEqual(rows);
    expect(hasChanged(operation, beforeOf(before), after)).toBe(true);
    const checks = checkInvariants({ operation, before: beforeOf(before), after });
    expect(checks.filter((one) => !one.ok)).toEqual([]);
    expect(checkEffect(operation, beforeOf(before), after).every((one) => one.ok)).toBe(true);
    return { before, after };
  };
  return {
    run,
    refusal: (engine, sql, more) =>
      run(engine, sql, more).then(
        () => Promise.reject(new Error(`${engine} did what it should refuse: ${sql}`)),
        (error: Error) => error.message,
      ),
    measure,
    perform,
    close: async () => {
      await Promise.all([runners.spark.close(), runners.trino.close()]);
    },
  };
}

function statements(compiled: Compiled): readonly Statement[] {
  if ('refused' in compiled) throw new Error(`not compiled: ${compiled.refused}`);
  return compiled;
}

async function contentOf(run: Engines['run'], table: string): Promise<readonly EngineRow[]> {
  return run(
    'spark',
    `SELECT count(*) AS n, sum(id) AS ids, sum(hash(d, ts)) AS rest FROM ${table}`,
  );
}

/** Two partitions, unless asked otherwise; each `scatter` adds four files in one commit. */
export async function makeTable(
  { run }: Engines,
  table: string,
  version: Version,
  properties: Readonly<Record<string, string>> = {},
  partitioning = 'PARTITIONED BY (d)',
): Promise<void> {
  const all = {
    'format-version': String(version),
    'write.distribution-mode': 'none',
    'write.delete.mode': 'merge-on-read',
    'write.delete.granularity': 'partition',
    'commit.manifest-merge.enabled': 'false',
    ...properties,
  };
  const pairs = Object.entries(all).map(([key, value]) => `'${key}' = '${value}'`);
  await run('spark', `DROP TABLE IF EXISTS ${table}`);
  await run(
    'spark',
    `CREATE TABLE ${table} (id BIGINT, d STRING, ts TIMESTAMP) USING iceberg ` +
      `${partitioning} TBLPROPERTIES (${pairs.join(', ')})`,
  );
}

export async function scatter({ run }: Engines, table: string): Promise<void> {
  await run(
    'spark',
    `INSERT INTO ${table} SELECT /*+ REPARTITION(2) */ id, IF(id % 2 = 0, 'a', 'b'),
       timestamp_seconds(1767225600 + id) FROM range(40)`,
  );
}

/** Position deletes, one file in each partition and commit. */
export async function deleteRows({ run }: Engines, table: string, ids: string): Promise<void> {
  await run('spark', `DELETE FROM ${table} WHERE id IN (${ids})`);
}
