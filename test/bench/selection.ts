/**
 * Which tables to compact when not all can be: `npm run bench:selection`. No server. 2,000 tables
 * (`BENCH_TABLES`) of a synthetic fleet (see `fleet.ts`), five seeds (`BENCH_SEEDS`), one budget of
 * bytes for all: 5 % of what small files hold (`BENCH_SHARE`). What a compaction really does is
 * said by one simulator for all contenders.
 *
 * - `ofAutoComp`: files removed for each GB rewritten, ours ÷ (c). ≥ 1.1.
 * - `ofNightly`: ours ÷ (a). ≥ 3.
 * - `ofMostFiles`: ours ÷ (b).
 * - `removedOfAutoComp`, `removedOfNightly`, `removedOfMostFiles`: the same of all files removed
 *   within the budget, whether or not it was used up.
 * Higher is better everywhere; each is the mean over the seeds of the ratio of one seed, and
 * `worst…` the smallest of them.
 *
 * (a) every table in the order of its name; (b) the table with the most small files first; (c) the
 * published AutoComp score: 0.7 × gain − 0.3 × cost, both min–max normalised over all tables, gain
 * = small files − ceil(their bytes ÷ target) of the whole table, cost = its bytes at 2 MB/s with
 * 2 GB of memory + 0.5 GB-hours. These choose tables. One rule for the budget: in rank order, what
 * would overshoot is passed over, and what comes after it may still fit (the published greedy
 * admits the one that overshoots; that would be charged to none here). Everything is charged with
 * the bytes that are really rewritten. `autoCompByPartition` in the figures is (c) over partitions:
 * how much of the difference is the ranking, and how much the candidates.
 * The last line is one line of JSON.
 */
import { cpus, totalmem } from 'node:os';
import type { CompactOperation, PartitionKey } from '../../src/domain/operation.ts';
import { planTable } from '../../src/domain/planner/planner.ts';
import { candidatesOf, DEFAULT_RATES } from '../../src/domain/planner/ranking.ts';
import { narrowPlan, select } from '../../src/domain/planner/selection.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy/policy.ts';
import { health, NOW_MS, partition } from '../domain/health/fixture.ts';
import { type FleetTable, makeFleet, type Rewrite, rewrite } from './fleet.ts';

const TABLES = Number(process.env.BENCH_TABLES ?? 2_000);
const SEEDS = Number(process.env.BENCH_SEEDS ?? 5);
const SHARE = Number(process.env.BENCH_SHARE ?? 0.05);
const GB = 2 ** 30;

interface Outcome extends Rewrite {
  readonly perGb: number;
}

interface Unit {
  readonly small: number;
  readonly smallBytes: number;
  readonly targetBytes: number;
  readonly actual: Rewrite;
}

function add(all: readonly Rewrite[]): Rewrite {
  return {
    removed: all.reduce((sum, one) => sum + one.removed, 0),
    bytes: all.reduce((sum, one) => sum + one.bytes, 0),
  };
}

function outcomeOf(total: Rewrite): Outcome {
  return { ...total, perGb: total.bytes === 0 ? 0 : total.removed / (total.bytes / GB) };
}

function unitsOfTables(fleet: readonly FleetTable[]): readonly Unit[] {
  return fleet.map(({ targetBytes, partitions }) => {
    const small = partitions.flatMap((one) => one.small);
    return {
      small: small.length,
      smallBytes: small.reduce((sum, one) => sum + one, 0),
      targetBytes,
      actual: add(partitions.map((one) => rewrite(one, targetBytes))),
    };
  });
}

function unitsOfPartitions(fleet: readonly FleetTable[]): readonly Unit[] {
  return fleet.flatMap((table) =>
    unitsOfTables(table.partitions.map((one) => ({ ...table, partitions: [one] }))),
  );
}

/** In this order; what would overshoot is passed over. */
function spend(units: readonly Unit[], budgetBytes: number): Outcome {
  const done: Rewrite[] = [];
  let left = budgetBytes;
  for (const { actual } of units) {
    if (actual.bytes > left) continue;
    left -= actual.bytes;
    done.push(actual);
  }
  return outcomeOf(add(done));
}

function byAutoComp(units: readonly Unit[]): readonly Unit[] {
  const gains = units.map((one) =>
    Math.max(0, one.small - Math.ceil(one.smallBytes / one.targetBytes)),
  );
  const costs = units.map((one) => (one.smallBytes / (2 * 2 ** 20) / 3_600) * 2 + 0.5);
  const [gain, cost] = [normalised(gains), normalised(costs)];
  const scores = new Map(
    units.map((one, at) => [one, 0.7 * (gain[at] as number) - 0.3 * (cost[at] as number)]),
  );
  return [...units].sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0));
}

function normalised(values: readonly number[]): readonly number[] {
  const [least, most] = values.reduce(
    ([low, high], one) => [Math.min(low, one), Math.max(high, one)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
  );
  return values.map((one) => (most === least ? 0 : (one - least) / (most - least)));
}

/** Ours, through planner, ranking and selection as a sweep uses them. */
function ours(fleet: readonly FleetTable[], budgetBytes: number): Outcome {
  const plans = fleet.map((table) => planOf(table));
  const candidates = plans.flatMap((plan) =>
    candidatesOf(
      { plan, correction: 1, waitingSinceMs: null, overdue: false },
      DEFAULT_RATES,
      NOW_MS,
    ),
  );
  const chosen = select(candidates, { bytes: budgetBytes, engineSeconds: null, tables: null });
  const done = plans.flatMap((plan, at) => {
    const table = fleet[at] as FleetTable;
    const decision = narrowPlan(plan, chosen, null).decisions.find((one) => one.kind === 'compact');
    if (decision?.action !== 'run') return [];
    const { partitions } = decision.operation as CompactOperation;
    return named(table, partitions).map((one) => rewrite(one, table.targetBytes));
  });
  const total = add(done);
  if (total.bytes > budgetBytes) throw new Error('the budget was overshot');
  return outcomeOf(total);
}

function named(table: FleetTable, keys: readonly PartitionKey[] | undefined) {
  if (keys === undefined) return table.partitions;
  return keys.map((key) => {
    const found = table.partitions[Number(key[0]?.value)];
    if (found === undefined) throw new Error('a partition that is not there was named');
    return found;
  });
}

function planOf({ table, targetBytes, partitions }: FleetTable) {
  const partitionHealth = partitions.map(({ small, sized }, at) => {
    const smallBytes = small.reduce((sum, one) => sum + one, 0);
    const sizedBytes = sized.reduce((sum, one) => sum + one, 0);
    return {
      ...partition(String(at), small.length, smallBytes),
      dataFiles: small.length + sized.length,
      totalBytes: smallBytes + sizedBytes,
    };
  });
  const compact = { ...DEFAULT_SETTINGS.compact, targetFileSizeBytes: targetBytes };
  return planTable({
    health: health({ table, partitionHealth, targetFileSizeBytes: targetBytes }),
    policy: { settings: { ...DEFAULT_SETTINGS, compact }, origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  });
}

function runSeed(seed: number) {
  const fleet = makeFleet(seed, TABLES);
  const tables = unitsOfTables(fleet);
  const smallBytes = tables.reduce((sum, one) => sum + one.smallBytes, 0);
  const budgetBytes = SHARE * smallBytes;
  const startedMs = performance.now();
  const mine = ours(fleet, budgetBytes);
  return {
    seed,
    budgetGb: budgetBytes / GB,
    smallFiles: tables.reduce((sum, one) => sum + one.small, 0),
    removable: tables.reduce((sum, one) => sum + one.actual.removed, 0),
    planMs: performance.now() - startedMs,
    ours: mine,
    nightly: spend(tables, budgetBytes),
    mostFiles: spend(
      [...tables].sort((a, b) => b.small - a.small),
      budgetBytes,
    ),
    autoComp: spend(byAutoComp(tables), budgetBytes),
    autoCompByPartition: spend(byAutoComp(unitsOfPartitions(fleet)), budgetBytes),
  };
}

const seeds = Array.from({ length: SEEDS }, (_, at) => runSeed(at + 1));
for (const one of seeds) {
  const told = (name: string, { removed, bytes, perGb }: Outcome) =>
    `${name} ${removed} files, ${(bytes / GB).toFixed(1)} GB, ${perGb.toFixed(1)}/GB`;
  process.stderr.write(
    `seed ${one.seed}, budget ${one.budgetGb.toFixed(1)} GB: ${told('ours', one.ours)}; ` +
      `${told('nightly', one.nightly)}; ${told('most files', one.mostFiles)}; ` +
      `${told('AutoComp', one.autoComp)}; ${told('by partition', one.autoCompByPartition)}\n`,
  );
}

type Rival = 'nightly' | 'mostFiles' | 'autoComp';
const round = (value: number) => Number(value.toFixed(2));
const each = (rival: Rival, what: 'perGb' | 'removed') =>
  seeds.map((one) => one.ours[what] / Math.max(1e-9, one[rival][what]));
const mean = (values: readonly number[]) =>
  round(values.reduce((sum, one) => sum + one, 0) / values.length);
const ratios = {
  ofAutoComp: mean(each('autoComp', 'perGb')),
  worstOfAutoComp: round(Math.min(...each('autoComp', 'perGb'))),
  ofNightly: mean(each('nightly', 'perGb')),
  worstOfNightly: round(Math.min(...each('nightly', 'perGb'))),
  ofMostFiles: mean(each('mostFiles', 'perGb')),
  removedOfAutoComp: mean(each('autoComp', 'removed')),
  removedOfNightly: mean(each('nightly', 'removed')),
  removedOfMostFiles: mean(each('mostFiles', 'removed')),
};
const machine = { cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
const figures = { tables: TABLES, share: SHARE, seeds };
process.stdout.write(`${JSON.stringify({ bench: 'selection', ratios, figures, machine })}\n`);
