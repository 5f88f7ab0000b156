/**
 * The composition root: builds the ports, starts the workers and the HTTP edge, reconciles the
 * schedules, and drains on SIGTERM. The only place that knows every room of the house.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type Config, readConfig } from '../config.ts';
import { ENDED_STATES, ERASURE_STATES } from '../domain/erasure/request.ts';
import { CONTROL_QUEUE, ENGINE_QUEUES } from '../domain/ids.ts';
import { desiredSchedules } from '../domain/policy/schedules.ts';
import type { Metrics } from '../http/metrics.ts';
import { startHttp } from '../http/server.ts';
import { log } from '../log.ts';
import { versionOf } from '../project/policy-documents.ts';
import { openDataConverter } from '../temporal/codec.ts';
import { wakeErasure } from '../temporal/erasures.ts';
import { startHealth } from '../temporal/health.ts';
import { reconcileSchedules } from '../temporal/schedules.ts';
import { startSweeps } from '../temporal/sweeps.ts';
import { bundlePath, failureConverterFor } from './bundle.ts';
import { buildPorts, type Ports } from './ports.ts';
import { keepMetrics } from './restore-metrics.ts';
import { linkSdkMetrics } from './sdk-metrics.ts';

/** A running statement is left to its engine; a new worker takes it over. */
const SHUTDOWN_GRACE = '5s';
/** Requests that are open at a time. */
const ERASURES_MAX = 100_000;

async function main(): Promise<void> {
  const config = readConfig();
  const sdkMetrics = linkSdkMetrics();
  Runtime.install({
    logger: log,
    shutdownSignals: ['SIGTERM', 'SIGINT'],
    telemetryOptions: {
      logging: { forward: {}, filter: 'WARN' },
      metrics: { buffer: sdkMetrics.buffer },
    },
  });
  const onScrape = ({ sdk }: Metrics) => sdkMetrics.drain(sdk);
  const ports = await buildPorts(config, { onScrape });
  const stopSdkMetrics = sdkMetrics.start(ports.metrics.sdk);
  ports.metrics.sweepExpected(config.catalog.name, config.health.intervalMs);
  const stopRestoring = await keepMetrics({ ...ports, catalog: config.catalog.name });
  const connection = await connect(config);
  const workers = await createWorkers(config, connection, ports);
  const http = await startHttp({
    address: config.httpAddress,
    metrics: ports.metrics,
    unready: () => workers.filter((one) => one.getState() !== 'RUNNING').map(queueOf),
  });
  const running = workers.map((worker) => worker.run());
  // Also for a worker that is killed and never comes to its end.
  flushCompileCache();
  log.info('worker started', { pid: process.pid, http: config.httpAddress });
  try {
    await applySchedules(config, ports);
    await startHealthSweeps(config, ports);
    await startMaintenance(config, ports);
    await wakeErasures(ports);
    await Promise.all(running);
  } finally {
    stopSdkMetrics();
    stopRestoring();
    http.close();
    http.closeAllConnections();
    await connection.close();
    await ports.close();
  }
}

/** Faulty policies leave the schedules as they are: the worker serves on. */
async function applySchedules(config: Config, ports: Ports): Promise<void> {
  const { client, project, ledger } = ports;
  try {
    const desired = desiredSchedules(await project.policies(), Date.now());
    const {
      create,
      update,
      delete: removed,
      unchanged,
    } = await reconcileSchedules(client, desired);
    const ids = (list: readonly { readonly scheduleId: string }[]) =>
      list.map((one) => one.scheduleId);
    await ledger.recordPolicies(await versionOf(config.policiesDir, 'worker', Date.now()));
    log.info('schedules reconciled', {
      created: ids(create),
      updated: ids(update),
      removed,
      unchanged,
    });
  } catch (error) {
    log.error('the schedules were left as they are', { error });
  }
}

/** Without sweeps the worker serves on. */
async function startHealthSweeps(config: Config, { client }: Ports): Promise<void> {
  try {
    const { intervalMs } = config.health;
    await startHealth(client, { catalog: config.catalog.name, intervalMs });
  } catch (error) {
    log.error('the health sweeps were not started', { error });
  }
}

/** Where no policy wants sweeps, one that still runs finds that out by itself. */
async function startMaintenance(config: Config, { client, project }: Ports): Promise<void> {
  try {
    const wanted = (await project.policies()).some((policy) => policy.kind === 'sweep');
    if (wanted) await startSweeps(client, config.catalog.name);
  } catch (error) {
    log.error('the maintenance sweeps were not started', { error });
  }
}

/** One whose workflow came to a sudden end would wait for ever; the others look at once. */
async function wakeErasures({ client, erasures }: Ports): Promise<void> {
  try {
    const states = ERASURE_STATES.filter((one) => !ENDED_STATES.includes(one));
    const open = await erasures.listRequests({ states, limit: ERASURES_MAX });
    for (const { requestId } of open) await wakeErasure(client, requestId);
  } catch (error) {
    log.error('not all requests for erasure were woken', { error });
  }
}

async function connect({ temporal }: Config): Promise<NativeConnection> {
  return NativeConnection.connect({
    address: temporal.address,
    ...(temporal.tls || temporal.apiKey !== undefined ? { tls: true } : {}),
    ...(temporal.apiKey === undefined ? {} : { apiKey: temporal.apiKey }),
  });
}

/** One worker for control and one for each engine, so that each has its own concurrency. */
async function createWorkers(
  config: Config,
  connection: NativeConnection,
  ports: Ports,
): Promise<readonly Worker[]> {
  const dataConverter = openDataConverter(config.temporal.payloadKeys);
  const shared = {
    connection,
    ...(dataConverter === null ? {} : { dataConverter }),
    namespace: config.temporal.namespace,
    shutdownGraceTime: SHUTDOWN_GRACE,
    // Cancellation reaches an activity with the answer to a heartbeat: do not hold those back.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
  } as const;
  return Promise.all([
    Worker.create({
      ...shared,
      taskQueue: CONTROL_QUEUE,
      workflowBundle: { codePath: await ensureBundle(config) },
      activities: ports.controlActivities,
      maxCachedWorkflows: 100,
      maxConcurrentActivityTaskExecutions: 20,
    }),
    ...(['spark', 'trino'] as const).map((engine) =>
      Worker.create({
        ...shared,
        taskQueue: ENGINE_QUEUES[engine],
        activities: ports.engineActivities[engine],
        maxConcurrentActivityTaskExecutions: config[engine].concurrency,
      }),
    ),
  ]);
}

function queueOf(worker: Worker): string {
  return worker.options.taskQueue;
}

/** Built in a process of its own: the bundler's memory would stay with the worker. */
async function ensureBundle({ home, temporal }: Config): Promise<string> {
  const path = await bundlePath(home, failureConverterFor(temporal.payloadKeys));
  if (existsSync(path)) return path;
  log.info('building the workflow bundle', { path });
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'bundle.ts')], {
    env: { ...process.env, ICEWRIGHT_HOME: home },
  });
  return path;
}

main().catch((error: unknown) => {
  log.error(error instanceof Error ? error.message : String(error), {
    stack: error instanceof Error ? error.stack : undefined,
  });
  // The SDK's native runtime would keep a worker alive that does no work; its supervisor waits.
  process.exit(1);
});
