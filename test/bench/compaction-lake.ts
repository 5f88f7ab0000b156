/** Makes the tables of `bench:compaction`, compacts them, and puts them back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, homeDir } from '../../src/config.ts';
import type { EngineRow, EngineRunner, Statement } from '../../src/domain/engine.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { ancestry } from '../../src/domain/watermark.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { openCatalog } from '../../src/lake.ts';
import { createSql, NAMESPACE, type Shape } from './compaction-shapes.ts';

export interface Measured {
  readonly ms: number;
  /** Of the engine's process; `null`: it is not one of this machine's stack. */
  readonly cpuSeconds: number | null;
  readonly peakMb: number | null;
  readonly files: number;
  readonly mb: number;
  readonly smallestMb: number;
  readonly largestMb: number;
}

export interface BenchLake {
  readonly spark: EngineRunner;
  run(statement: Statement): Promise<readonly EngineRow[]>;
  sql(text: string): Promise<readonly EngineRow[]>;
  measure(name: string): Promise<TableHealth>;
  /** Makes the table where it is not there yet. */
  build(shape: Shape): Promise<void>;
  /** Runs the statement on the table as it was built, and puts it back. */
  compact(name: string, statement: Statement): Promise<Measured>;
  close(): Promise<void>;
}

export function openBenchLake(config: Config): BenchLake {
  const { name: catalogName } = config.catalog;
  const deployment = `bench-${process.pid}`;
  const spark = createSparkRunner({ url: config.spark.url, deployment, catalog: catalogName });
  const trino = createTrinoRunner({ ...config.trino, catalog: catalogName });
  const catalog = openCatalog(config);
  let serial = 0;
  const run = async (statement: Statement) => {
    serial += 1;
    const runner = statement.engine === 'spark' ? spark : trino;
    const key = `${deployment}/${serial}`;
    const result = await runner.run(statement, { key, session: 'bench-compaction' });
    await result.release();
    return result.rows;
  };
  const sql = (text: string) => run({ engine: 'spark', sql: text });
  const measure = (name: string) =>
    catalog.measureTable(
      { catalog: catalogName, namespace: NAMESPACE, name },
      { nowMs: Date.now(), depth: 'files' },
    );
  const lake = { spark, run, sql, measure };
  return {
    ...lake,
    build: (shape) => build(lake, shape),
    compact: (name, statement) => compact(lake, name, statement),
    close: async () => {
      await Promise.all([spark.close(), trino.close()]);
    },
  };
}

type Lake = Pick<BenchLake, 'run' | 'sql' | 'measure'>;

async function build(lake: Lake, shape: Shape): Promise<void> {
  const { sql } = lake;
  const table = `lake.${NAMESPACE}.${shape.name}`;
  const found = await sql(`SHOW TABLES IN lake.${NAMESPACE} LIKE '${shape.name}'`);
  if (found.length > 0) return asBuilt(lake, shape.name);
  await sql(createSql(shape));
  for (const statement of shape.fill) await sql(statement.replaceAll('$T', table));
}

/** A benchmark that was ended half-way leaves its last compaction behind. */
async function asBuilt(lake: Lake, name: string): Promise<void> {
  const now = await lake.measure(name);
  const built = ancestry(now.snapshots, now.snapshotId).find((one) => one.operation !== 'replace');
  if (built === undefined) throw new Error(`${name} does not know how it was built: drop it`);
  await putBack(lake, name, { ...now, snapshotId: built.snapshotId }, now);
}

async function compact(lake: Lake, name: string, statement: Statement): Promise<Measured> {
  const before = await lake.measure(name);
  const rows = await countRows(lake, name);
  // The session's settings are in force, and the connection is up, before the clock starts.
  if (statement.engine === 'spark') await lake.run({ ...statement, sql: 'SELECT 1' });
  const meter = meterOf(statement.engine);
  const begin = performance.now();
  await lake.run(statement);
  const ms = Math.round(performance.now() - begin);
  const spent = meter();
  const after = await lake.measure(name);
  if ((await countRows(lake, name)) !== rows) throw new Error(`${name} has other rows`);
  const sizes = await lake.sql(
    `SELECT min(file_size_in_bytes) AS least, max(file_size_in_bytes) AS most
     FROM lake.${NAMESPACE}.${name}.data_files`,
  );
  await putBack(lake, name, before, after);
  return {
    ms,
    ...spent,
    files: after.dataFiles,
    mb: mb(after.totalBytes),
    smallestMb: mb(Number(sizes[0]?.least)),
    largestMb: mb(Number(sizes[0]?.most)),
  };
}

async function putBack({ sql }: Lake, name: string, before: TableHealth, after: TableHealth) {
  if (before.snapshotId === after.snapshotId) return;
  const kept = new Set(ancestry(after.snapshots, before.snapshotId).map((one) => one.snapshotId));
  const made = after.snapshots.map((one) => one.snapshotId).filter((id) => !kept.has(id));
  const table = `${NAMESPACE}.${name}`;
  await sql(`CALL lake.system.rollback_to_snapshot('${table}', ${before.snapshotId})`);
  // The files of the compaction go, so that the next one meets the store as this one did.
  const ids = made.map((id) => `${id}L`).join(', ');
  await sql(
    `CALL lake.system.expire_snapshots(table => '${table}', snapshot_ids => array(${ids}),
     older_than => TIMESTAMP '1970-01-01 00:00:00Z')`,
  );
}

async function countRows({ sql }: Lake, name: string): Promise<string> {
  const rows = await sql(`SELECT count(*) AS n FROM lake.${NAMESPACE}.${name}`);
  return String(rows[0]?.n);
}

function mb(bytes: number): number {
  return Number((bytes / 1e6).toFixed(1));
}

/** From here to the call: what the engine's process spent, where it is one of ours. */
function meterOf(engine: string): () => Pick<Measured, 'cpuSeconds' | 'peakMb'> {
  const pid = servicePid(engine);
  if (pid === null) return () => ({ cpuSeconds: null, peakMb: null });
  const begin = cpuSeconds(pid);
  return () => ({
    cpuSeconds: Number((cpuSeconds(pid) - begin).toFixed(1)),
    peakMb: residentMb(pid),
  });
}

function servicePid(name: string): number | null {
  try {
    const state = JSON.parse(readFileSync(join(homeDir(), 'run', 'state.json'), 'utf8')) as {
      services: { name: string; pid: number | null }[];
    };
    return state.services.find((one) => one.name === name)?.pid ?? null;
  } catch {
    return null;
  }
}

/** Hundredths of a second are what Linux counts in. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
