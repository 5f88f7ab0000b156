/** run/stack.json: what `up` asks of the supervisor. */
import { join } from 'node:path';
import { IcewrightError } from '../src/domain/errors.ts';
import { ensureCredentials } from './credentials.ts';
import { PROJECT_DIR, readJson, type StackHome } from './home.ts';
import { ensureKeys } from './keys.ts';
import pins from './pins.json' with { type: 'json' };
import type { StackPorts } from './ports.ts';
import type { ServiceName, StackContext, StackParts } from './services/service.ts';
import { buildSettings } from './settings.ts';

export interface StackConfig {
  /** Of the `up` that wrote it; the supervisor's state repeats it. */
  readonly request: string;
  readonly ports: StackPorts;
  readonly parts: StackParts;
  readonly versions: Readonly<Record<ServiceName, string>>;
  readonly services: readonly ServiceName[];
}

export function readStackConfig(home: StackHome): StackConfig {
  const config = readJson<StackConfig>(home.config);
  if (config === undefined) {
    throw new IcewrightError('StackFailed', `${home.config} is missing: run "icewright stack up"`);
  }
  return config;
}

/** Everything that the services are built from. */
export function loadContext(home: StackHome, config: StackConfig): StackContext {
  const { ports, parts, versions } = config;
  const credentials = ensureCredentials(home);
  const settings = buildSettings(ports, credentials, ensureKeys(home));
  return { home, ports, parts, versions, credentials, settings };
}

/** The version of each service: what serves, not what it was built with. */
export function readVersions(): Readonly<Record<ServiceName, string>> {
  const own = readJson<{ version: string }>(join(PROJECT_DIR, 'package.json'));
  return {
    postgres: pins.postgres.version,
    minio: pins.minio.version,
    temporal: pins.temporal.server,
    catalog: pins.catalog.version,
    trino: pins.trino.version,
    spark: pins.spark.version,
    worker: own?.version ?? 'unknown',
    prometheus: pins.prometheus.version,
  };
}
