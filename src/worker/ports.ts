/** Builds every port from the configuration and hands them to the activities. */
import type { Client } from '@temporalio/client';
import { rememberCores } from '../activities/cores.ts';
import {
  createErasureActivities,
  createErasureEngineActivities,
  createOpenErasure,
} from '../activities/erasure/index.ts';
import type { ErasureLedger } from '../activities/erasure-ports.ts';
import { createHealthActivities } from '../activities/health/health.ts';
import type { Ledger } from '../activities/ledger-port.ts';
import { createNightActivities } from '../activities/night.ts';
import { createOperateActivities } from '../activities/operate/operate.ts';
import type { Compiler, Jobs } from '../activities/ports.ts';
import { createRunActivities } from '../activities/runs.ts';
import { createSweepActivities } from '../activities/sweep/sweep.ts';
import type { SweepActivities } from '../activities/sweep/types.ts';
import { createTransformActivities } from '../activities/transform.ts';
import type { ControlActivities, EngineActivities, HealthActivities } from '../activities/types.ts';
import type { Config } from '../config.ts';
import type { EngineName } from '../domain/engine.ts';
import * as sparkCompile from '../engines/spark/compile.ts';
import * as sparkCount from '../engines/spark/compile-count.ts';
import { compileModel as compileSparkModel } from '../engines/spark/compile-model.ts';
import { compileOrphanVote } from '../engines/spark/compile-orphans.ts';
import { readCores } from '../engines/spark/cores.ts';
import { createSparkRunner } from '../engines/spark/run.ts';
import * as trinoCompile from '../engines/trino/compile.ts';
import * as trinoCount from '../engines/trino/compile-count.ts';
import { compileModel as compileTrinoModel } from '../engines/trino/compile-model.ts';
import { createTrinoRunner } from '../engines/trino/run.ts';
import { floorsOf } from '../floors.ts';
import { createMetrics, type Metrics } from '../http/metrics.ts';
import { openCatalog, openTableFiles } from '../lake.ts';
import { type ClosableLedger, createLedger } from '../ledger/ledger.ts';
import { migrate } from '../ledger/migrate.ts';
import { log } from '../log.ts';
import { openProject } from '../project/project.ts';
import { openKeys } from '../proof/keys.ts';
import { connectTemporal } from '../temporal/connect.ts';
import { isRunning, submitJob } from '../temporal/jobs.ts';
import { erasureDeps } from './erasure.ts';

export interface Ports {
  readonly client: Client;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly erasures: ErasureLedger;
  readonly controlActivities: ControlActivities & HealthActivities & SweepActivities;
  readonly engineActivities: Readonly<Record<EngineName, EngineActivities>>;
  readonly project: ReturnType<typeof openProject>;
  close(): Promise<void>;
}

export interface PortsOptions {
  /** Told before each scrape. */
  readonly onScrape: (metrics: Metrics) => void;
}

const COMPILERS: Record<EngineName, Compiler> = {
  spark: { ...sparkCompile, ...sparkCount, compileModel: compileSparkModel, compileOrphanVote },
  trino: { ...trinoCompile, ...trinoCount, compileModel: compileTrinoModel },
};

export async function buildPorts(config: Config, { onScrape }: PortsOptions): Promise<Ports> {
  await migrate(config.ledgerUrl);
  const temporal = await connectTemporal(config.temporal, 30_000);
  const keys = openKeys(config.erasure);
  const plainLedger = createLedger({ url: config.ledgerUrl, sealer: keys.sealer });
  const { ledger, endTraces } = await startTraces(config, plainLedger);
  const catalog = openCatalog(config, plainLedger.manifests);
  const files = openTableFiles(config, catalog);
  const project = openProject({ ...config, catalogName: config.catalog.name });
  const metrics = createMetrics({ tablesMax: config.metricsTables, onRender: onScrape });
  const spark = createSparkRunner({
    url: config.spark.url,
    deployment: config.deployment,
    catalog: config.catalog.name,
    log: (message) => log.info(message),
  });
  const trino = createTrinoRunner({ ...config.trino, catalog: config.catalog.name });
  const nowMs = Date.now;
  const floors = floorsOf(trino, config.catalog.name);
  const cores = rememberCores({ readSparkCores: () => readCores(spark), nowMs });
  const planning = { catalog, ledger, project, nowMs, floors, cores };
  const engines = {
    spark: { runner: spark, compiler: COMPILERS.spark },
    trino: { runner: trino, compiler: COMPILERS.trino },
  };
  const operating = { catalog, files, ledger, project, meter: metrics, engines, nowMs };
  const jobs = jobsOf(temporal.client);
  const { pseudonymKey } = config;
  const transforming = createTransformActivities({ ...operating, jobs, pseudonymKey });
  const engineActivities: Omit<EngineActivities, 'eraseStep'> = {
    ...createOperateActivities(operating),
    runModel: transforming.runModel,
  };
  const erasing = erasureDeps({
    config,
    planning,
    erasures: plainLedger.erasures,
    spark,
    files,
    catalog,
    keys,
    client: temporal.client,
  });
  const { eraseStep, ...looking } = createErasureEngineActivities(erasing);
  const sparkActivities = { ...engineActivities, eraseStep, ...looking };
  return {
    client: temporal.client,
    metrics,
    ledger,
    erasures: plainLedger.erasures,
    project,
    controlActivities: {
      ...createRunActivities({ ...planning, jobs, meter: metrics }),
      ...createNightActivities({ ...planning, meter: metrics }),
      ...createSweepActivities({ ...planning, meter: metrics }),
      ...createHealthActivities({ ...planning, meter: metrics, ...config.health }),
      openTransform: transforming.openTransform,
      ...createErasureActivities(erasing),
      openErasure: createOpenErasure({ ...planning, jobs }),
    },
    engineActivities: { spark: sparkActivities, trino: { ...engineActivities, eraseStep } },
    close: async () => {
      await Promise.allSettled([spark.close(), trino.close(), ledger.close(), temporal.close()]);
      await endTraces();
    },
  };
}

function jobsOf(client: Client): Jobs {
  return {
    submit: (table, job, requester) => submitJob(client, { table, job, requester }),
    isRunning: (workflowId) => isRunning(client, workflowId),
  };
}

/** Without a collector nothing of it is loaded. */
async function startTraces(
  { traces: { endpoint, ...options } }: Config,
  ledger: ClosableLedger,
): Promise<{ readonly ledger: ClosableLedger; readonly endTraces: () => Promise<void> }> {
  if (endpoint === undefined) return { ledger, endTraces: async () => {} };
  const { createOtlpExporter, traceLedger } = await import('../temporal/traces.ts');
  const exporter = createOtlpExporter({ endpoint, ...options });
  return { ledger: traceLedger(ledger, exporter), endTraces: exporter.close };
}
