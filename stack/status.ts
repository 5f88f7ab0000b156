/** What the stack is doing now, from its files and the processes themselves. */
import type { StackConfig } from './config.ts';
import { type Credentials, postgresUrl, readCredentials } from './credentials.ts';
import { readJson, type StackHome } from './home.ts';
import { isRunning } from './services/process-identity.ts';
import { OPTIONAL_SERVICES } from './services/service.ts';
import { isSupervised, readState, type ServiceRecord } from './services/state.ts';
import { CATALOG_NAME } from './settings.ts';

/** What `stack status --json` prints. */
export interface StackStatus {
  /** Every service that was asked for serves, save optional ones. */
  readonly running: boolean;
  readonly home: string;
  readonly catalog: string;
  readonly services: readonly ServiceRecord[];
  /** Undefined before the first start. */
  readonly credentials: StackCredentials | undefined;
}

export type StackCredentials = Credentials & {
  /** The source shop; the other databases have the same server, user and password. */
  readonly postgresUrl: string;
  readonly ledgerUrl: string;
};

/** Never rejects because of a service. */
export function describeStack(home: StackHome): StackStatus {
  const state = readState(home);
  const supervised = isSupervised(state);
  const services = (state?.services ?? []).map((record) => correct(record, supervised));
  return {
    running: services.length > 0 && services.every(isServing),
    home: home.root,
    catalog: CATALOG_NAME,
    services,
    credentials: describeCredentials(home),
  };
}

function isServing({ name, state }: ServiceRecord): boolean {
  return state === 'ready' || OPTIONAL_SERVICES.includes(name);
}

/** The record is as old as its last change: what has ended since is not shown as serving. */
function correct(record: ServiceRecord, supervised: boolean): ServiceRecord {
  const alive = record.process !== null && isRunning(record.process);
  if (supervised)
    return alive || record.state !== 'ready' ? record : { ...record, state: 'restarting' };
  if (alive) return { ...record, state: 'orphaned' };
  return { ...record, state: 'stopped', pid: null, process: null };
}

function describeCredentials(home: StackHome): StackCredentials | undefined {
  const credentials = readCredentials(home.root);
  const ports = readJson<StackConfig>(home.config)?.ports;
  if (credentials === undefined || ports === undefined) return undefined;
  return {
    ...credentials,
    postgresUrl: postgresUrl(credentials, ports, 'shop'),
    ledgerUrl: postgresUrl(credentials, ports, 'icewright'),
  };
}
