/** A sweep on real tables: what is worth it is chosen within the budget, the rest says why not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSweepActivities } from '../../src/activities/sweep/sweep.ts';
import type { SweepActivities } from '../../src/activities/sweep/types.ts';
import { readConfig } from '../../src/config.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { runIdAt } from '../../src/domain/ids.ts';
import type { CompactOperation, Decision, Plan } from '../../src/domain/operation.ts';
import { openCatalog } from '../../src/lake.ts';
import { type ClosableLedger, createLedger } from '../../src/ledger/ledger.ts';
import { openProject } from '../../src/project/project.ts';
import { succeed } from './command-line.ts';
import { checksum, type Lake, makeScattered, openLake } from './lake.ts';

const MB = 2 ** 20;
const TABLES = ['clustered', 'costly', 'few', 'many'].map((name) => `lake.sweep.${name}`);
const [CLUSTERED, COSTLY, FEW, MANY] = TABLES as [string, string, string, string];

const POLICIES = {
  'small.yaml': `
kind: maintenance
name: small
tables: "sweep.*"
`,
  'sorted.yaml': `
kind: maintenance
name: sorted
tables: sweep.clustered
compact:
  strategy: sort
  columns: [ts]
  targetFileSize: 1MB
  trigger:
    metric: clustering_depth
    atLeast: 2
`,
  'sweep.yaml': `
kind: sweep
name: live
tables: "sweep.*"
every: 1h
budget:
  bytes: 12MB
  concurrency: 2
`,
};

let lake: Lake;
let ledger: ClosableLedger;
let directory: string;
let activities: SweepActivities;

beforeAll(async () => {
  lake = openLake('sweep');
  const config = readConfig();
  ledger = createLedger({ url: config.ledgerUrl });
  directory = await mkdtemp(join(tmpdir(), 'icewright-sweep-'));
  for (const [name, text] of Object.entries(POLICIES)) {
    await writeFile(join(directory, name), text);
  }
  activities = createSweepActivities({
    catalog: openCatalog(config),
    ledger,
    project: openProject({
      modelsDir: config.modelsDir,
      policiesDir: directory,
      catalogName: config.catalog.name,
    }),
    meter: { maintenancePlanned: () => {}, sweepsRead: () => {}, sweepChose: () => {} },
    nowMs: Date.now,
  });
  await makeScattered(lake, MANY, { files: 60, rows: 6_000 });
  await makeScattered(lake, FEW, { files: 3, rows: 3_000 });
  // As many files, and far more bytes than the budget allows.
  await makeScattered(lake, COSTLY, { files: 60, rows: 90_000, noteBytes: 512 });
  await makeClustered();
}, 240_000);
afterAll(async () => {
  await ledger?.close();
  await lake?.close();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

/** Well-sized files: those of one partition overlap in `ts`, those of the other do not. */
async function makeClustered(): Promise<void> {
  await lake.spark(`DROP TABLE IF EXISTS ${CLUSTERED}`);
  await lake.spark(
    `CREATE TABLE ${CLUSTERED} (part STRING, ts BIGINT, customer_id BIGINT, amount DECIMAL(12,2), note STRING)
     USING iceberg PARTITIONED BY (part)
     TBLPROPERTIES ('format-version' = '2', 'write.distribution-mode' = 'none')`,
  );
  const rows = (part: string, hint: string) =>
    lake.spark(
      `INSERT INTO ${CLUSTERED} SELECT /*+ ${hint} */ '${part}', ts, id, 1.00,
         concat(sha2(string(id), 512), sha2(string(id + 1), 512))
       FROM (SELECT id, pmod(xxhash64(id), 1000000) AS ts FROM range(33000))`,
    );
  await rows('bad', 'REPARTITION(4)');
  await rows('good', 'REPARTITION_BY_RANGE(4, ts)');
}

interface Swept {
  readonly plan: Plan;
  readonly sweepId: string;
  readonly due: number;
  readonly quiet: number;
  readonly chosen: readonly string[];
  readonly left: Readonly<Record<string, number>>;
}

/** Looks and chooses, as the workflow has it done. */
async function sweepOnce(): Promise<Swept> {
  const context = new MockActivityEnvironment();
  const run = <In, Out>(activity: (input: In) => Promise<Out>, input: In) =>
    context.run(activity, input) as Promise<Out>;
  const sweepId = runIdAt(Date.now(), crypto.randomUUID());
  const common = { catalog: 'lake', policy: 'live' };
  const listed = await run(activities.listSweepTables, { ...common, after: null });
  expect(listed.tables).toEqual(TABLES);
  const { due, quiet } = await run(activities.planSweep, {
    ...common,
    sweepId,
    tables: listed.tables,
  });
  const selected = await run(activities.selectSweep, {
    ...common,
    sweepId,
    sinceMs: Date.now(),
    nextMs: null,
  });
  await run(activities.endSweep, { sweepId });
  const plan = (await ledger.readPlan(sweepId)) ?? { planId: sweepId, createdAt: '', tables: [] };
  const chosen = selected.tables.map((one) => one.table).sort();
  return { plan, sweepId, due, quiet, chosen, left: selected.left };
}

const compaction = (plan: Plan, table: string) =>
  plan.tables
    .find((one) => one.table === table)
    ?.decisions.find((one) => one.kind === 'compact') as Decision;

const depths = async (health: Promise<TableHealth>) =>
  Object.fromEntries(
    ((await health).partitionHealth ?? []).map((one) => [
      one.partition.part,
      one.clustering[0]?.depth ?? 0,
    ]),
  );

function measured(): Promise<TableHealth> {
  const catalog = openCatalog(readConfig());
  return catalog.measureTable(
    { catalog: 'lake', namespace: 'sweep', name: 'clustered' },
    { nowMs: Date.now(), depth: 'files', clusteringColumns: ['ts'] },
  );
}

describe('a sweep of real tables', () => {
  it('chooses within its budget, has it done, and finds nothing more to do there', async () => {
    const before = await depths(measured());
    expect(before.bad).toBeGreaterThan(3);
    expect(before.good).toBeLessThan(1.5);
    const rows = await lake.spark(`SELECT sum(hash(*)) AS sum, count(*) AS n FROM ${CLUSTERED}`);
    const scattered = await checksum(lake, MANY);

    const first = await sweepOnce();
    expect(first).toMatchObject({ due: 3, quiet: 0, chosen: [CLUSTERED, MANY] });
    expect(first.left).toEqual({ budget_bytes: 1 });
    const sorted = compaction(first.plan, CLUSTERED).operation as CompactOperation;
    expect(sorted).toMatchObject({ strategy: 'sort', rewriteAll: true });
    expect(sorted.partitions?.map((key) => key[0]?.value)).toEqual(['bad']);
    const costly = compaction(first.plan, COSTLY);
    expect(costly).toMatchObject({ action: 'skip', operation: null });
    expect(costly.reasons.at(-1)).toMatchObject({ metric: 'budget_bytes', met: false });
    expect(costly.reasons.at(-1)?.threshold).toBeLessThanOrEqual(12 * MB);

    const { receipts } = await succeed(['apply', first.sweepId]);
    expect(receipts).toHaveLength(2);
    for (const one of receipts) expect(one.status).toBe('done');
    expect((await lake.measure(MANY)).dataFiles).toBe(1);
    const after = await depths(measured());
    expect(after.bad).toBeLessThan(1.5);
    expect(after.good).toBe(before.good);
    const same = await lake.spark(`SELECT sum(hash(*)) AS sum, count(*) AS n FROM ${CLUSTERED}`);
    expect(same).toEqual(rows);
    expect(await checksum(lake, MANY)).toEqual(scattered);

    // What was done is planned once more, because it changed; what never had anything is not.
    const second = await sweepOnce();
    expect(second).toMatchObject({ due: 1, quiet: 1, chosen: [] });
    const third = await sweepOnce();
    expect(third).toMatchObject({ due: 1, quiet: 3, chosen: [] });
  });
});

describe('the sweep of the worker', () => {
  it('is asked for by hand outside its window, and tells what it did', async () => {
    const { reports } = await succeed(['sweep', 'now', 'upkeep']);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ policy: 'upkeep', dueAt: null, failed: 0, errors: [] });
    expect(reports[0].listed).toBeGreaterThanOrEqual(4);
    // No policy of the project stands in the way of the table that was too costly.
    expect((await lake.measure(COSTLY)).dataFiles).toBe(1);
    const status = await succeed(['sweep', 'status']);
    expect(status.policies[0].last.sweepId).toBe(reports[0].sweepId);
    expect((await lake.measure(FEW)).dataFiles).toBe(3);
  });
});
