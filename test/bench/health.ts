/**
 * What knowing a table's health costs: `npm run bench:health`, on the running stack (`npm start`
 * first). Ratios are of medians measured in turn in this run. Lower is better, but where ✕ says how
 * many times faster we are.
 *
 * - `sweepOfFloor`: a sweep of BENCH_TABLES unchanged tables ÷ bare conditional requests. ≤ 1.3.
 * - `pyIcebergOfOurs`, `sparkOfOurs`, `trinoOfOurs` (✕): first full measure of 100 tables of 50
 *   files, one after the other, against `inspect.files`, `.files` and `$files`. ≥ 5, 15, 15.
 * - `pyIcebergOfOursAtOnce`, `sparkOfOursAtOnce`, `trinoOfOursAtOnce` (✕): the same, ours sixteen at a time, as a sweep does.
 * - `coldOfFloor`: 20,000 files in 100 manifests, nothing remembered ÷ fetching these manifests and
 *   decoding them with `avsc`.
 * - `coldSparkOfOurs`, `coldTrinoOfOurs`, `coldPyIcebergOfOurs` (✕): the same table against peers.
 * - `oneCommitMs`, `oneCommitBytes`: after one commit more, only the new manifest is read. ≤ 15.
 * - `memoryMb`: 100,000 files, above idle. ≤ 150.
 * The last line is one line of JSON.
 */
import { execFile } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Config, readConfig, WORKER_NODE_FLAGS } from '../../src/config.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { createObjectStore, type ObjectStore } from '../../src/storage/object-store.ts';
import { openDuckDb, openPyIceberg, type Python } from '../peers/python.ts';
import {
  atOnce,
  bareCatalog,
  compare,
  decodeAll,
  freshCatalog,
  manifestsOf,
  median,
  NAMESPACE,
  query,
  tableRef,
  time,
} from './health-parts.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const TABLES = Number(process.env.BENCH_TABLES ?? 1_000);
const SMALL_TABLES = 100;
const SMALL_FILES = 50;
const LARGE_FILES = 20_000;
const LARGE_MANIFESTS = 100;
const HUGE_FILES = 100_000;
/** As many as a sweep has under way. */
const WIDTH = 16;
const OPTIONS = { nowMs: Date.now(), depth: 'files' } as const;

interface Bench {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly python: Python;
  readonly duckDb: Python;
  readonly spark: ReturnType<typeof createSparkRunner>;
  readonly trino: ReturnType<typeof createTrinoRunner>;
}

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${prefix}_${String(at).padStart(4, '0')}`);
const UNCHANGED = names('unchanged', TABLES);
const SMALL = names('small', SMALL_TABLES);

async function sweep({ config, store }: Bench) {
  const bare = bareCatalog(config);
  await atOnce(WIDTH, UNCHANGED, bare.create);
  const { catalog } = freshCatalog(config, store);
  const etags = new Map<string, string>();
  const measure = async (name: string) => {
    const etag = etags.get(name) ?? null;
    const found = await catalog.remeasureTable(tableRef(config, name), { ...OPTIONS, etag });
    if (found.changed && found.etag !== null) etags.set(name, found.etag);
    return found.changed;
  };
  const firstMs = await time(() => atOnce(WIDTH, UNCHANGED, measure));
  let stray = 0;
  const found = await compare(RUNS, {
    floor: () =>
      atOnce(WIDTH, UNCHANGED, async (name) => {
        stray += (await bare.conditional(name, etags.get(name) ?? '')) === 304 ? 0 : 1;
      }),
    ours: () =>
      atOnce(WIDTH, UNCHANGED, async (name) => {
        stray += (await measure(name)) ? 1 : 0;
      }),
  });
  return { ...found, firstMs, tables: TABLES, notUnchanged: stray };
}

async function firstMeasure({ config, store, python, spark, trino }: Bench) {
  const tables = SMALL.map((name) => {
    return { table: `${NAMESPACE}.${name}`, files: SMALL_FILES, manifests: 1, bytes: 1_000_000 };
  });
  await python({ command: 'craft', tables });
  const each = async (action: (name: string) => Promise<unknown>) => {
    for (const name of SMALL) await action(name);
  };
  const total = await compare(Math.min(3, RUNS), {
    ours: () => {
      const { catalog } = freshCatalog(config, store);
      return each((name) => catalog.measureTable(tableRef(config, name), OPTIONS));
    },
    oursAtOnce: () => {
      const { catalog } = freshCatalog(config, store);
      return atOnce(WIDTH, SMALL, (name) => catalog.measureTable(tableRef(config, name), OPTIONS));
    },
    spark: () => each((name) => query(spark, countBySpark(name))),
    trino: () => each((name) => query(trino, countByTrino(name))),
  });
  const asked = tables.map((one) => one.table);
  // The first round warms PyIceberg up as ours was.
  const rounds = (await python({ command: 'measure', tables: [...asked, ...asked] })) as {
    readonly loadMs: number;
    readonly filesMs: number;
  }[];
  const warm = rounds.slice(asked.length);
  const perTable = (ms: number) => ms / SMALL_TABLES;
  return {
    ours: perTable(total.ours),
    oursAtOnce: perTable(total.oursAtOnce),
    spark: perTable(total.spark),
    trino: perTable(total.trino),
    pyIceberg: median(warm.map((one) => one.loadMs + one.filesMs)),
  };
}

const countBySpark = (name: string) =>
  `SELECT content, count(*), sum(file_size_in_bytes) FROM lake.${NAMESPACE}.${name}.files GROUP BY 1`;
const countByTrino = (name: string) =>
  `SELECT content, count(*), sum(file_size_in_bytes) FROM lake.${NAMESPACE}."${name}$files" GROUP BY 1`;

async function large({ config, store, python, duckDb, spark, trino }: Bench) {
  const table = `${NAMESPACE}.large`;
  const spec = { table, files: LARGE_FILES, manifests: LARGE_MANIFESTS, bytes: 1_000_000 };
  await python({ command: 'craft', tables: [spec] });
  const ref = tableRef(config, 'large');
  const manifests = await manifestsOf(freshCatalog(config, store), ref);
  const fetched: Buffer[] = [];
  const times = await compare(RUNS, {
    ours: () => freshCatalog(config, store).catalog.measureTable(ref, OPTIONS),
    fetch: async () => {
      fetched.length = 0;
      await atOnce(WIDTH, manifests, async (uri) => fetched.push(await store.get(uri, 2 ** 28)));
    },
    avsc: () => atOnce(1, fetched, decodeAll),
    spark: () => query(spark, countBySpark('large')),
    trino: () => query(trino, countByTrino('large')),
  });
  const [peer] = (await python({ command: 'measure', tables: [table] })) as [
    { readonly loadMs: number; readonly filesMs: number },
  ];
  const { metadataLocation } = await freshCatalog(config, store).catalog.loadTable(ref);
  const duck = (await duckDb({ metadata: metadataLocation, runs: RUNS })) as {
    readonly ms: readonly number[];
  };
  const bytes = fetched.reduce((sum, one) => sum + one.length, 0);
  return { ...times, duckDb: median(duck.ms), pyIceberg: peer.loadMs + peer.filesMs, bytes };
}

/** Commits of ten files each, of which only the new manifest is not known. */
async function oneCommit({ config, store, python }: Bench) {
  const { catalog, reading } = freshCatalog(config, store);
  const ref = tableRef(config, 'large');
  await catalog.measureTable(ref, OPTIONS);
  const took: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const spec = { table: `${NAMESPACE}.large`, files: 10, manifests: 1, bytes: 1_000 };
    await python({ command: 'craft', tables: [spec] });
    Object.assign(reading, { objects: 0, bytes: 0 });
    took.push(await time(() => catalog.measureTable(ref, OPTIONS)));
  }
  return { ms: median(took), objects: reading.objects, bytes: reading.bytes };
}

async function memory({ python }: Bench) {
  const table = `${NAMESPACE}.huge`;
  await python({
    command: 'craft',
    tables: [{ table, files: HUGE_FILES, manifests: 10, bytes: 1_000_000 }],
  });
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...WORKER_NODE_FLAGS,
    join(import.meta.dirname, 'health-memory.ts'),
    SMALL[0] as string,
    'huge',
  ]);
  return JSON.parse(stdout) as { files: number; idleMb: number; peakMb: number };
}

async function main(): Promise<void> {
  const config = readConfig();
  const bench: Bench = {
    config,
    store: createObjectStore(config.storage),
    python: await openPyIceberg(),
    duckDb: await openDuckDb(),
    spark: createSparkRunner({ url: config.spark.url, deployment: 'bench', catalog: 'lake' }),
    trino: createTrinoRunner({ ...config.trino, catalog: 'lake' }),
  };
  const bare = bareCatalog(config);
  try {
    await bare.createNamespace();
    const figures = {
      sweep: await told('sweep', () => sweep(bench)),
      first: await told('first measure', () => firstMeasure(bench)),
      large: await told('large table', () => large(bench)),
      oneCommit: await told('one commit', () => oneCommit(bench)),
      memory: await told('memory', () => memory(bench)),
    };
    const machine = { cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
    const ratios = ratiosOf(figures);
    process.stdout.write(`${JSON.stringify({ bench: 'health', ratios, figures, machine })}\n`);
  } finally {
    await atOnce(WIDTH, [...UNCHANGED, ...SMALL, 'large', 'huge'], bare.drop);
    await Promise.all([bench.spark.close(), bench.trino.close()]);
    bench.store.close();
  }
}

async function told<T>(name: string, body: () => Promise<T>): Promise<T> {
  const found = await body();
  process.stderr.write(`${name}: ${JSON.stringify(found)}\n`);
  return found;
}

interface Figures {
  readonly sweep: Awaited<ReturnType<typeof sweep>>;
  readonly first: Awaited<ReturnType<typeof firstMeasure>>;
  readonly large: Awaited<ReturnType<typeof large>>;
  readonly oneCommit: Awaited<ReturnType<typeof oneCommit>>;
  readonly memory: Awaited<ReturnType<typeof memory>>;
}

function ratiosOf({ sweep: swept, first, large: cold, oneCommit: commit, memory: held }: Figures) {
  const ratios = {
    sweepOfFloor: swept.ours / swept.floor,
    pyIcebergOfOurs: first.pyIceberg / first.ours,
    pyIcebergOfOursAtOnce: first.pyIceberg / first.oursAtOnce,
    sparkOfOursAtOnce: first.spark / first.oursAtOnce,
    trinoOfOursAtOnce: first.trino / first.oursAtOnce,
    sparkOfOurs: first.spark / first.ours,
    trinoOfOurs: first.trino / first.ours,
    coldOfFloor: cold.ours / (cold.fetch + cold.avsc),
    coldDuckDbOfOurs: cold.duckDb / cold.ours,
    coldSparkOfOurs: cold.spark / cold.ours,
    coldTrinoOfOurs: cold.trino / cold.ours,
    coldPyIcebergOfOurs: cold.pyIceberg / cold.ours,
    oneCommitMs: commit.ms,
    oneCommitBytes: commit.bytes,
    memoryMb: held.peakMb - held.idleMb,
  };
  return Object.fromEntries(
    Object.entries(ratios).map(([name, value]) => [name, Number(value.toFixed(2))]),
  );
}

await main();
