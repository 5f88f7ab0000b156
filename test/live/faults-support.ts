/**
 * One operation of ours, planned and carried out as the worker does it, on engines whose catalog
 * and object store are reached through proxies that can fail.
 */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { OperateDeps } from '../../src/activities/operate/deps.ts';
import { createOperateActivities } from '../../src/activities/operate/operate.ts';
import type { PlanningDeps } from '../../src/activities/planning/inputs.ts';
import { planHandRequest, storePlan } from '../../src/activities/planning/planning.ts';
import { readConfig } from '../../src/config.ts';
import type { EngineName, EngineRunner } from '../../src/domain/engine.ts';
import type { HandRequest } from '../../src/domain/hand-request.ts';
import { runIdAt } from '../../src/domain/ids.ts';
import type { TablePlan } from '../../src/domain/operation.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import * as sparkCompile from '../../src/engines/spark/compile.ts';
import * as sparkCount from '../../src/engines/spark/compile-count.ts';
import { compileModel as compileSparkModel } from '../../src/engines/spark/compile-model.ts';
import { compileOrphanVote } from '../../src/engines/spark/compile-orphans.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import * as trinoCompile from '../../src/engines/trino/compile.ts';
import * as trinoCount from '../../src/engines/trino/compile-count.ts';
import { compileModel as compileTrinoModel } from '../../src/engines/trino/compile-model.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { openCatalog, openTableFiles } from '../../src/lake.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { openProject } from '../../src/project/project.ts';
import { openPyIceberg } from '../peers/python.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type Lake, makeScattered, openLake } from './lake.ts';
import { type SecondTrino, startSecondTrino } from './second-trino.ts';

export interface Faults {
  readonly lake: Lake;
  /** Between the engines and the catalog. */
  readonly catalog: FaultProxy;
  /** Between the engines and the object store. */
  readonly store: FaultProxy;
  /** Spark behind the proxies; every runner has sessions of its own. */
  readonly spark: EngineRunner;
  plan(table: string, request: HandRequest): Promise<Planned>;
  /** `change`: other parts than the real ones. */
  carryOut(planned: Planned, change?: Partial<OperateDeps>): Promise<Receipt>;
  /** Plans by hand and carries out. */
  perform(table: string, request: HandRequest): Promise<Receipt>;
  /** What a reader that is not ours finds, by table. */
  verify(tables: readonly string[]): Promise<ReadonlyMap<string, Verified>>;
  readonly deps: OperateDeps;
  readonly planning: PlanningDeps;
  close(): Promise<void>;
}

export interface Planned {
  readonly planId: string;
  readonly plan: TablePlan;
}

export interface Verified {
  /** Rows of the head as PyIceberg reads them; `null`: it cannot. */
  readonly rows: number | null;
  /** Files that the table's snapshots name. */
  readonly files: number;
  /** Those that are not there. */
  readonly missing: readonly string[];
}

/**
 * @param engines Trino takes a second server, and the time to start it
 * @param settings of Spark's sessions besides
 */
export async function openFaults(
  name: string,
  engines: readonly EngineName[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Faults> {
  const config = readConfig();
  const catalog = await startFaultProxy(config.catalog.url);
  const store = await startFaultProxy(config.storage.endpoint ?? '');
  const lake = openLake(name);
  const second = engines.includes('trino') ? await behindProxies(catalog, store) : null;
  const deployment = `${name}-${process.pid}`;
  const spark = proxied(
    createSparkRunner({ url: config.spark.url, deployment, catalog: config.catalog.name }),
    { ...sparkSettings(config.catalog.name, catalog, store), ...settings },
  );
  const url = second?.url ?? config.trino.url;
  const trino = createTrinoRunner({ ...config.trino, url, catalog: config.catalog.name });
  const ledger = createLedger({ url: config.ledgerUrl });
  const project = openProject({ ...config, catalogName: config.catalog.name });
  // Ours reads past the proxies: what fails is the engines' way.
  const direct = openCatalog(config);
  const planning = { catalog: direct, ledger, project, nowMs: Date.now };
  const deps: OperateDeps = {
    ...planning,
    catalog: direct,
    files: openTableFiles(config, direct),
    meter: SILENT,
    engines: {
      spark: {
        runner: spark,
        compiler: {
          ...sparkCompile,
          ...sparkCount,
          compileModel: compileSparkModel,
          compileOrphanVote,
        },
      },
      trino: {
        runner: trino,
        compiler: { ...trinoCompile, ...trinoCount, compileModel: compileTrinoModel },
      },
    },
  };
  const plan: Faults['plan'] = (table, request) => planOne(planning, table, request);
  const carryOut: Faults['carryOut'] = (planned, change) =>
    carryOutOne({ ...deps, ...change }, planned);
  const python = await openPyIceberg();
  const verify: Faults['verify'] = async (tables) => {
    const names = tables.map((table) => table.slice(table.indexOf('.') + 1));
    const answer = (await python({ command: 'verify', tables: names })) as Record<string, Verified>;
    return new Map(tables.map((table, at) => [table, answer[names[at] as string] as Verified]));
  };
  const close = async () => {
    const parts = [
      lake,
      spark,
      trino,
      ledger,
      catalog,
      store,
      ...(second === null ? [] : [second]),
    ];
    await Promise.all(parts.map((part) => part.close()));
  };
  const perform: Faults['perform'] = async (table, request) => carryOut(await plan(table, request));
  const parts = { lake, catalog, store, spark, deps, planning };
  return { ...parts, plan, carryOut, perform, verify, close };
}

const SILENT = {
  operationEnded: () => {},
  runEnded: () => {},
  healthSwept: () => {},
  maintenancePlanned: () => {},
  sweepsRead: () => {},
  sweepChose: () => {},
};

function behindProxies(catalog: FaultProxy, store: FaultProxy): Promise<SecondTrino> {
  return startSecondTrino({
    ICEWRIGHT_CATALOG_URL: catalog.url,
    ICEWRIGHT_S3_ENDPOINT: store.url,
  });
}

/** Read when a session first uses its catalog. */
function sparkSettings(name: string, catalog: FaultProxy, store: FaultProxy) {
  return {
    [`spark.sql.catalog.${name}.uri`]: catalog.url,
    [`spark.sql.catalog.${name}.s3.endpoint`]: store.url,
  };
}

function proxied(runner: EngineRunner, more: Readonly<Record<string, string>>): EngineRunner {
  return {
    ...runner,
    run: (statement, options) =>
      runner.run({ ...statement, settings: { ...statement.settings, ...more } }, options),
  };
}

async function planOne(deps: PlanningDeps, table: string, request: HandRequest): Promise<Planned> {
  const planId = runIdAt(Date.now(), randomUUID());
  const planned = await planHandRequest(deps, table, request);
  const stored = await storePlan(deps.ledger, { planId, nowMs: Date.now(), tables: [planned] });
  return { planId, plan: stored.tables[0] as TablePlan };
}

async function carryOutOne(deps: OperateDeps, { planId, plan }: Planned): Promise<Receipt> {
  const ordinal = plan.decisions.findIndex((decision) => decision.action === 'run');
  if (ordinal < 0) throw new Error(JSON.stringify(plan.decisions));
  const { runOperation } = createOperateActivities(deps);
  const input = { table: plan.table, runId: runIdAt(Date.now(), randomUUID()), planId, ordinal };
  return (await new MockActivityEnvironment().run(runOperation, input)) as Receipt;
}

export function compactOn(engine: EngineName): HandRequest {
  return {
    kind: 'compact',
    strategy: 'binpack',
    columns: [],
    where: null,
    targetFileSizeBytes: null,
    engine,
  };
}

export const EXPIRE_ALL: HandRequest = { kind: 'expire_snapshots', olderThanMs: 1, keepLast: 1 };

/** Nine small files in three manifests, after three commits. */
export async function makeSmall(lake: Lake, table: string): Promise<void> {
  await makeScattered(lake, table, { files: 3, rows: 300 });
  for (const _ of [2, 3]) await lake.spark(`INSERT INTO ${table} SELECT * FROM ${table} LIMIT 100`);
}
