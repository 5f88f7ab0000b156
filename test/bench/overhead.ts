/**
 * What durability costs: `npm run bench:overhead`, on the running stack (`npm start` first).
 *
 * Ratios and added milliseconds, all measured in this run on the same warm Spark:
 * - `noopAddedMs`, `compactAddedMs`: p50 from trigger to done of a no-op `manifests` and of a small
 *   `compact` through Temporal (queue, lock, plan, receipt, invariants), minus the p50 of the bare
 *   `CALL`. Aim: ≤ 100 inside the worker (a client that is connected), ≤ 500 from the command line.
 * - `noopAddedOfTemporalFloor`: the same as a multiple of what a workflow with one activity that
 *   does nothing takes on this server: queue, lock, plan and receipt are five such steps.
 * - `nightRatio`: a whole night with a day's changes, against the time in which at least one of its
 *   engine statements was running. Aim: ≤ 1.05.
 * - `workerResidentMb`: worker and HTTP edge together. Aim: ≤ 250.
 * Lower is better everywhere. The last line is one line of JSON.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { handJob } from '../../src/cli/job.ts';
import { homeDir, PROJECT_DIR, readConfig } from '../../src/config.ts';
import type { EngineRunner } from '../../src/domain/engine.ts';
import type { HandRequest } from '../../src/domain/hand-request.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { awaitRun, requestJob } from '../../src/temporal/jobs.ts';
import { advanceShop } from '../../stack/shop/advance.ts';
import { nightRatio } from './night-ratio.ts';
import { withTemporalFloor } from './temporal-floor.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 20);
const CLI_RUNS = Math.max(3, Math.ceil(RUNS / 2));
const TABLE = 'lake.bench.overhead';
const FILES = 10;

const COMPACT: HandRequest = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: null,
  engine: 'spark',
};
const MANIFESTS: HandRequest = { kind: 'rewrite_manifests', engine: 'spark' };
const BARE_MANIFESTS = `CALL lake.system.rewrite_manifests(table => 'bench.overhead')`;
const BARE_COMPACT =
  `CALL lake.system.rewrite_data_files(table => 'bench.overhead', strategy => 'binpack', ` +
  `options => map('min-input-files', '2', 'target-file-size-bytes', '536870912'))`;

type Timed = () => Promise<unknown>;

async function main(): Promise<void> {
  const config = readConfig();
  const spark = createSparkRunner({ url: config.spark.url, deployment: 'bench', catalog: 'lake' });
  const { client, close } = await connectTemporal(config.temporal);
  const sql = (text: string) => execute(spark, text);
  try {
    await sql('CREATE NAMESPACE IF NOT EXISTS lake.bench');
    await sql(`DROP TABLE IF EXISTS ${TABLE}`);
    await sql(`CREATE TABLE ${TABLE} (id BIGINT, note STRING) USING iceberg`);
    const scatter = () =>
      sql(`INSERT INTO ${TABLE} SELECT /*+ REPARTITION(${FILES}) */ id, 'x' FROM range(1000)`);
    const ours = (request: HandRequest) => async () => {
      const { runId } = await requestJob(client, TABLE, handJob(request, 'bench'));
      await awaitRun(client, TABLE, runId);
    };
    const fromShell = (command: string) => () =>
      promisify(execFile)('node', [
        join(PROJECT_DIR, 'bin', 'icewright.mjs'),
        command,
        TABLE,
        '--wait',
        '--json',
        ...(command === 'compact' ? ['--engine', 'spark'] : []),
      ]);
    await scatter();
    await sql(BARE_MANIFESTS);
    const noop = await compare(RUNS, {}, () => sql(BARE_MANIFESTS), ours(MANIFESTS));
    const temporalFloor = await withTemporalFloor(client, config.temporal.address, (once) =>
      p50(RUNS, {}, once),
    );
    const compact = await compare(
      RUNS,
      { before: scatter },
      () => sql(BARE_COMPACT),
      ours(COMPACT),
    );
    const noopShell = await p50(CLI_RUNS, {}, fromShell('manifests'));
    const compactShell = await p50(CLI_RUNS, { before: scatter }, fromShell('compact'));
    await sql(`DROP TABLE ${TABLE} PURGE`);

    await advanceShop(shopUrl(), { days: 1 });
    const night = await measureNight(config.ledgerUrl);
    const ratios = {
      noopAddedMs: noop.ours - noop.bare,
      noopAddedOfTemporalFloor: (noop.ours - noop.bare) / temporalFloor,
      compactAddedMs: compact.ours - compact.bare,
      noopAddedFromShellMs: noopShell - noop.bare,
      compactAddedFromShellMs: compactShell - compact.bare,
      nightRatio: night.ratio,
      workerResidentMb: workerResidentMb(),
    };
    const figures = { runs: RUNS, temporalFloor, noop, compact, noopShell, compactShell, night };
    const machine = { cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
    process.stdout.write(
      `${JSON.stringify({ bench: 'overhead', ratios: rounded(ratios), figures, machine })}\n`,
    );
  } finally {
    await spark.close();
    await close();
  }
}

let statements = 0;

async function execute(spark: EngineRunner, text: string): Promise<void> {
  statements += 1;
  const key = `bench/${process.pid}/${Date.now()}/${statements}`;
  const result = await spark.run({ engine: 'spark', sql: text }, { key, session: 'bench' });
  await result.release();
}

/** The two in turn, so that a change of the machine's speed meets both. */
async function compare(
  runs: number,
  options: { readonly before?: Timed },
  bare: Timed,
  ours: Timed,
): Promise<{ readonly bare: number; readonly ours: number }> {
  const times = { bare: [] as number[], ours: [] as number[] };
  for (let run = -2; run < runs; run += 1) {
    for (const [name, body] of [
      ['bare', bare],
      ['ours', ours],
    ] as const) {
      await options.before?.();
      const took = await time(body);
      if (run >= 0) times[name].push(took);
    }
  }
  return { bare: median(times.bare), ours: median(times.ours) };
}

async function p50(runs: number, options: { readonly before?: Timed }, body: Timed) {
  const times: number[] = [];
  for (let run = -1; run < runs; run += 1) {
    await options.before?.();
    const took = await time(body);
    if (run >= 0) times.push(took);
  }
  return median(times);
}

async function time(body: Timed): Promise<number> {
  const begin = performance.now();
  await body();
  return performance.now() - begin;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(1));
}

async function measureNight(ledgerUrl: string) {
  const { stdout } = await promisify(execFile)(
    'node',
    [join(PROJECT_DIR, 'bin', 'icewright.mjs'), 'nightly', '--json'],
    { maxBuffer: 64 * 2 ** 20 },
  );
  const report = JSON.parse(stdout) as { runId: string; startedAt: string; finishedAt: string };
  const ledger = createLedger({ url: ledgerUrl });
  try {
    return await nightRatio(ledger, report);
  } finally {
    await ledger.close();
  }
}

function shopUrl(): string {
  const settings = JSON.parse(readFileSync(join(homeDir(), 'settings.json'), 'utf8'));
  return (
    process.env.ICEWRIGHT_SHOP_URL ?? (settings as Record<string, string>).ICEWRIGHT_SHOP_URL ?? ''
  );
}

/** Of the worker that the stack supervises. */
function workerResidentMb(): number | null {
  const pid = process.env.BENCH_WORKER_PID ?? supervisedWorker();
  if (pid === null) return null;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}

function supervisedWorker(): number | null {
  const path = join(homeDir(), 'run', 'state.json');
  const state = JSON.parse(readFileSync(path, 'utf8')) as {
    services: { name: string; pid: number | null }[];
  };
  return state.services.find((one) => one.name === 'worker')?.pid ?? null;
}

function rounded(ratios: Record<string, number | null>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(ratios).map(([name, value]) => [
      name,
      value === null ? null : Number(value.toFixed(2)),
    ]),
  );
}

await main();
