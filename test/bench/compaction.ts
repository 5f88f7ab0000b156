/**
 * What choosing a compaction's options from the table and the engine's cores is worth:
 * `npm run bench:compaction`, on the running stack (`npm start` first; the first run also makes the
 * tables, 2.5 GB). BENCH_RUNS (default 3) rounds, BENCH_SHAPES (default all) by name.
 *
 * - `p1`, `u1`, `few`, `tiny`, `skew`, `wide`, `deletes`: Spark's defaults ÷ ours, medians of runs in
 *   turn on the same table, which is rolled back in between. Higher is better; 1: as fast.
 *   Aims: p1 ≥ 1.2, u1 ≥ 1.35, none below 1.
 * - `…_equal_target`: the same, Spark being told the size of files that ours writes.
 * - `…_bytes`: bytes that ours leaves ÷ those that Spark's defaults leave. Lower is better.
 * - `…_kept_level`: Spark's defaults ÷ ours with `compression: keep` (p1 and u1 only).
 * - `trino_p1`, `trino_u1`, `floor_…`: Trino's `optimize`, and reading and writing the same files with
 *   pyarrow, ÷ ours. Higher is better for us.
 * - `smallSeconds`: ten files of 0.1 MB from a connected client to the receipt, p50. Aim ≤ 0.5;
 *   `smallBareSeconds` is the bare `CALL` in turn with it.
 * The last line is one line of JSON.
 */
import { cpus, loadavg, totalmem } from 'node:os';
import { readConfig } from '../../src/config.ts';
import type { Statement } from '../../src/domain/engine.ts';
import type { CompactOperation } from '../../src/domain/operation.ts';
import { tuneCompact } from '../../src/domain/planner/tuning.ts';
import { compileOperation } from '../../src/engines/spark/compile.ts';
import { readCores } from '../../src/engines/spark/cores.ts';
import { compileOperation as compileTrino } from '../../src/engines/trino/compile.ts';
import { openPyIceberg } from '../peers/python.ts';
import { type BenchLake, type Measured, openBenchLake } from './compaction-lake.ts';
import { NAMESPACE, SHAPES, type Shape } from './compaction-shapes.ts';
import { measureSmall } from './compaction-small.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const CHOSEN = process.env.BENCH_SHAPES?.split(',') ?? SHAPES.map(({ name }) => name);
/** Shapes on which the peers and the kept level are measured, too. */
const MAIN = ['p1', 'u1'];

/** What Icewright does where no policy says otherwise. */
const OPERATION: CompactOperation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 512 * 2 ** 20,
  minInputFiles: 5,
  rewriteAll: false,
};

type Variants = Readonly<Record<string, Statement>>;

function one(compiled: ReturnType<typeof compileOperation>): Statement {
  if ('refused' in compiled || compiled[0] === undefined) throw new Error('cannot be compiled');
  return compiled[0];
}

async function variantsOf(lake: BenchLake, { name }: Shape, cores: number): Promise<Variants> {
  const table = { catalog: 'lake', namespace: NAMESPACE, name };
  const health = await lake.measure(name);
  const tuned = (compression: 'auto' | 'keep') =>
    tuneCompact(OPERATION, {
      health,
      cores: { spark: cores },
      recentReceipts: [],
      policy: { minInputFiles: OPERATION.minInputFiles, tuning: 'auto', compression },
    });
  const { operation, reasons } = tuned('auto');
  for (const { metric, because } of reasons) tell(`  ${metric}: ${because}`);
  const call = `CALL lake.system.rewrite_data_files(table => '${NAMESPACE}.${name}'`;
  const size = operation.tuning?.outputFileSizeBytes ?? OPERATION.targetFileSizeBytes;
  return {
    spark: { engine: 'spark', sql: `${call})` },
    ours: one(compileOperation(table, operation)),
    equal_target: {
      engine: 'spark',
      sql: `${call}, options => map('target-file-size-bytes', '${size}'))`,
    },
    ...(MAIN.includes(name)
      ? {
          kept_level: one(compileOperation(table, tuned('keep').operation)),
          trino: one(compileTrino(table, OPERATION)),
        }
      : {}),
  };
}

/** Each variant once a round, in another order each time. */
async function inTurn(lake: BenchLake, shape: Shape, variants: Variants) {
  const names = Object.keys(variants);
  const found: Record<string, Measured[]> = {};
  for (let round = 0; round < RUNS; round += 1) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const variant of order) {
      const measured = await lake.compact(shape.name, variants[variant] as Statement);
      found[variant] = [...(found[variant] ?? []), measured];
      const { ms, cpuSeconds, files, mb, smallestMb, largestMb } = measured;
      tell(
        `  ${variant}: ${ms} ms, ${cpuSeconds} CPU-s, ${files} files, ${mb} MB ` +
          `(${smallestMb} to ${largestMb}), load ${loadavg()[0]?.toFixed(1)}`,
      );
    }
  }
  return found;
}

async function main(): Promise<void> {
  const config = readConfig();
  const lake = openBenchLake(config);
  const ratios: Record<string, number> = {};
  const figures: Record<string, unknown> = {};
  try {
    await lake.sql(`CREATE NAMESPACE IF NOT EXISTS lake.${NAMESPACE}`);
    const cores = (await readCores(lake.spark)) ?? cpus().length;
    const shapes = SHAPES.filter(({ name }) => CHOSEN.includes(name));
    await warmUp(lake, shapes[0]);
    for (const shape of shapes) {
      tell(`${shape.name}: ${shape.about}`);
      await lake.build(shape);
      const found = await inTurn(lake, shape, await variantsOf(lake, shape, cores));
      figures[shape.name] = found;
      Object.assign(ratios, ratiosOf(shape.name, found));
    }
    if (CHOSEN.some((name) => MAIN.includes(name))) await measureFloors(lake, ratios, figures);
    if (process.env.BENCH_SMALL !== '0') {
      const small = await measureSmall(config, lake);
      ratios.smallSeconds = small.ours;
      ratios.smallBareSeconds = small.bare;
      figures.small = small;
    }
    const machine = {
      cores: cpus().length,
      sparkCores: cores,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      load: loadavg(),
    };
    const rounded = Object.fromEntries(
      Object.entries(ratios).map(([name, value]) => [name, Number(value.toFixed(2))]),
    );
    const line = { bench: 'compaction', ratios: rounded, figures, machine };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await lake.close();
  }
}

/** The first run of a fresh engine also compiles its code: it counts for nobody. */
async function warmUp(lake: BenchLake, shape: Shape | undefined): Promise<void> {
  if (shape === undefined) return;
  tell('warming up');
  await lake.build(shape);
  const { spark, ours, trino } = await variantsOf(lake, shape, 2);
  for (const statement of [spark, ours, trino]) {
    if (statement !== undefined) await lake.compact(shape.name, statement);
  }
}

function ratiosOf(name: string, found: Readonly<Record<string, readonly Measured[]>>) {
  const ms = (variant: string) => median((found[variant] ?? []).map((run) => run.ms));
  const bytes = (variant: string) => median((found[variant] ?? []).map((run) => run.mb));
  return {
    [name]: ms('spark') / ms('ours'),
    [`${name}_equal_target`]: ms('equal_target') / ms('ours'),
    [`${name}_bytes`]: bytes('ours') / bytes('spark'),
    ...(found.kept_level ? { [`${name}_kept_level`]: ms('spark') / ms('kept_level') } : {}),
    ...(found.trino ? { [`trino_${name}`]: ms('trino') / ms('ours') } : {}),
  };
}

/** Reading every row and writing it again, without a table, on all cores. */
async function measureFloors(
  lake: BenchLake,
  ratios: Record<string, number>,
  figures: Record<string, unknown>,
): Promise<void> {
  const python = await openPyIceberg();
  for (const name of MAIN.filter((one) => CHOSEN.includes(one))) {
    const ours = figures[name] as Readonly<Record<string, readonly Measured[]>>;
    const seconds = (await python({ command: 'floor', table: `${NAMESPACE}.${name}` })) as number;
    // The same work in the same minute: the machine's speed may have changed since.
    const statement = (await variantsOf(lake, shapeOf(name), 2)).ours as Statement;
    const again = await lake.compact(name, statement);
    ratios[`floor_${name}`] = (seconds * 1_000) / again.ms;
    figures[`floor_${name}`] = { seconds, ours: again, earlier: ours.ours };
    tell(`floor of ${name}: ${seconds.toFixed(1)} s, ours ${(again.ms / 1_000).toFixed(1)} s`);
  }
}

function shapeOf(name: string): Shape {
  const found = SHAPES.find((shape) => shape.name === name);
  if (found === undefined) throw new Error(`there is no shape ${name}`);
  return found;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
