/** The stack's controls: up, down, status, reset. All of them may be repeated at will. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../src/domain/errors.ts';
import { loadContext, readVersions, type StackConfig } from './config.ts';
import { createHome, describeHome, readJson, type StackHome, writeJson } from './home.ts';
import { explainNoPrometheus } from './monitoring.ts';
import { checkPorts, type PortName, REQUIRED_PORTS, type StackPorts } from './ports.ts';
import { buildServices } from './services/index.ts';
import { describeTail } from './services/log-file.ts';
import { endProcess, isRunning, signalProcess } from './services/process-identity.ts';
import {
  OPTIONAL_SERVICES,
  SERVICE_NAMES,
  type ServiceName,
  type StackParts,
} from './services/service.ts';
import { isSupervised, readState, type ServiceRecord, type StackState } from './services/state.ts';
import { hasWorker } from './services/worker.ts';
import { writeSettings } from './settings.ts';
import { describeStack, type StackStatus } from './status.ts';
import { launchSupervisor, withControlLock } from './supervisor-launch.ts';

export type { StackStatus } from './status.ts';

export interface StackOptions {
  readonly home: string;
  readonly ports: StackPorts;
  readonly parts: StackParts;
  /** Default: all; the worker only where this checkout has one, Prometheus where it can run. */
  readonly services?: readonly ServiceName[];
  /** Told of every change of a service's state. */
  readonly onProgress?: ProgressListener;
}

export type ProgressListener = (record: ServiceRecord) => void;

const POLL_MS = 50;
/** Above any service's own limit: only a supervisor that hangs meets this one. */
const UP_TIMEOUT_MS = 420_000;
/** All ranks of services one after the other, each within its own limit. */
const DOWN_TIMEOUT_MS = 60_000;
/** A service that keeps ending while `up` waits for it is a fault to be shown. */
const RESTARTS_MAX = 3;

/**
 * Brings the stack up, or completes it. Resolves when every service serves. Rejects with
 * `StackFailed` (a service's last log lines and its log's path) or `PrerequisiteMissing`.
 */
export async function startStack(options: StackOptions): Promise<StackStatus> {
  const home = describeHome(options.home);
  createHome(home);
  const config: StackConfig = {
    request: randomUUID(),
    ports: options.ports,
    parts: options.parts,
    versions: readVersions(),
    services: options.services ?? (await listServices(home, options)),
  };
  return await withControlLock(home, async () => {
    await raise(home, config, options.onProgress ?? (() => {}));
    return describeStack(home);
  });
}

async function listServices(
  home: StackHome,
  { ports, parts }: StackOptions,
): Promise<readonly ServiceName[]> {
  const without = new Set<ServiceName>(hasWorker() ? [] : ['worker']);
  if ((await explainNoPrometheus(home, ports, parts)) !== undefined) without.add('prometheus');
  return SERVICE_NAMES.filter((name) => !without.has(name));
}

/** Stops everything that was recorded, also what a dead supervisor left behind. */
export async function stopStack(root: string): Promise<void> {
  const home = describeHome(root);
  createHome(home);
  await withControlLock(home, () => lower(home));
}

/** What is there now. Never rejects because of a service. */
export async function stackStatus(root: string): Promise<StackStatus> {
  return describeStack(describeHome(root));
}

/** Stops everything and removes its data, logs and credentials. */
export async function resetStack(root: string): Promise<void> {
  await stopStack(root);
  const home = describeHome(root);
  for (const path of [home.data, home.logs, home.run, home.keys, home.settings, home.credentials]) {
    await rm(path, { recursive: true, force: true });
  }
}

/**
 * The port check of `up`, to be made before anything is downloaded: ports that this home's own
 * services hold are fine. Rejects with `PrerequisiteMissing`.
 */
export async function checkStackPorts(root: string, ports: StackPorts): Promise<void> {
  const home = describeHome(root);
  // Its own services hold ports of that set; `up` looks again at those that it is about to take.
  const own = readState(home)?.services.some(
    ({ process }) => process !== null && isRunning(process),
  );
  const kept = own ? readJson<StackConfig>(home.config)?.ports : undefined;
  await checkPorts(
    ports,
    REQUIRED_PORTS.filter((name) => kept?.[name] !== ports[name]),
  );
}

async function raise(home: StackHome, config: StackConfig, tell: ProgressListener): Promise<void> {
  const before = readState(home);
  const kept = readJson<StackConfig>(home.config);
  const alive = isSupervised(before) && kept !== undefined && isSameStack(kept, config);
  if (!alive) await lower(home);
  const asked = new Set([...(alive ? kept.services : []), ...config.services]);
  const services = SERVICE_NAMES.filter((name) => asked.has(name));
  const context = loadContext(home, config);
  const missing = buildServices(context, services).filter(
    ({ name }) => !alive || !hasProcess(before, name),
  );
  await checkPorts(
    config.ports,
    missing.flatMap(({ ports }): readonly PortName[] => ports),
  );
  writeSettings(home, context.settings);
  if (alive && missing.length === 0 && isReady(before, services)) return;
  writeJson(home.config, { ...config, services });
  if (alive) signalProcess(before.supervisor, 'SIGHUP');
  else await launchSupervisor(home, config.parts.node);
  await awaitReady(home, config.request, tell);
}

/** Other ports, parts or versions are another stack: it is replaced. */
function isSameStack(a: StackConfig, b: StackConfig): boolean {
  const identity = ({ ports, parts, versions }: StackConfig) => [ports, parts, versions];
  return JSON.stringify(identity(a)) === JSON.stringify(identity(b));
}

function isReady(state: StackState, services: readonly string[]): boolean {
  return services.every((name) => findRecord(state, name)?.state === 'ready');
}

function hasProcess(state: StackState, name: string): boolean {
  const record = findRecord(state, name);
  return record !== undefined && record.process !== null && isRunning(record.process);
}

function findRecord(state: StackState, name: string): ServiceRecord | undefined {
  return state.services.find((one) => one.name === name);
}

async function awaitReady(home: StackHome, request: string, tell: ProgressListener): Promise<void> {
  const told = new Map<string, string>();
  for (let waitedMs = 0; waitedMs < UP_TIMEOUT_MS; waitedMs += POLL_MS) {
    const state = readState(home);
    if (!isSupervised(state)) throw supervisorLost(home);
    // Until the supervisor has read this request, its state is the answer to an earlier one.
    const records = state.request === request ? state.services : [];
    for (const record of records) {
      if (told.get(record.name) !== record.state) tell(record);
      told.set(record.name, record.state);
      if (hasFailed(record) && !isOptional(record)) throw serviceFailed(record);
    }
    if (records.length > 0 && records.every(isSettled)) return;
    await sleep(POLL_MS);
  }
  throw new IcewrightError('StackFailed', `the stack is not up after ${UP_TIMEOUT_MS / 1000} s`);
}

/** Also one that keeps ending. */
function hasFailed({ state, endings }: ServiceRecord): boolean {
  return state === 'failed' || (state === 'restarting' && endings > RESTARTS_MAX);
}

function isSettled(record: ServiceRecord): boolean {
  return record.state === 'ready' || (isOptional(record) && hasFailed(record));
}

function isOptional({ name }: ServiceRecord): boolean {
  return OPTIONAL_SERVICES.includes(name);
}

function serviceFailed({ name, problem, log }: ServiceRecord): IcewrightError {
  return new IcewrightError(
    'StackFailed',
    `${name} does not start: ${problem}. ${describeTail(log)}`,
    { service: name, log },
  );
}

function supervisorLost(home: StackHome): IcewrightError {
  const log = `${home.logs}/supervisor.log`;
  return new IcewrightError('StackFailed', `the stack's supervisor ended. ${describeTail(log)}`, {
    log,
  });
}

/** First the supervisor's orderly way, then by rank whatever is still there. */
async function lower(home: StackHome): Promise<void> {
  const state = readState(home);
  if (state === undefined) return;
  await endProcess(state.supervisor, 'SIGTERM', DOWN_TIMEOUT_MS);
  const left = (readState(home)?.services ?? []).filter((one) => one.process !== null);
  const ranks = [...new Set(left.map((one) => one.stop.rank))].sort((a, b) => a - b);
  for (const rank of ranks) {
    const peers = left.filter((one) => one.stop.rank === rank);
    await Promise.all(peers.map(endService));
  }
}

async function endService({ process, stop }: ServiceRecord): Promise<void> {
  if (process !== null) await endProcess(process, stop.signal, stop.timeoutMs);
}
