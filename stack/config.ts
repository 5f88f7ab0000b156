/** run/stack.json: what `up` asks of the supervisor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IcewrightError } from '../src/domain/errors.ts';
import { ensureCredentials } from './credentials.ts';
import { PROJECT_DIR, readJson, type StackHome } from './home.ts';
import type { StackPorts } from './ports.ts';
import type { ServiceName, StackContext, StackParts } from './services/service.ts';
import { buildSettings } from './settings.ts';

export interface StackConfig {
  /** Of the `up` that wrote it; the supervisor's state repeats it. */
  readonly request: string;
  readonly ports: StackPorts;
  readonly parts: StackParts;
  readonly versions: Readonly<Record<string, string>>;
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
  const settings = buildSettings(ports, credentials);
  return { home, ports, parts, versions, credentials, settings };
}

/** The version of each service, from the pins and the package itself. */
export function readVersions(): Readonly<Record<string, string>> {
  const pins = readJson<Record<string, unknown>>(join(PROJECT_DIR, 'stack', 'pins.json')) ?? {};
  const own = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8')) as {
    version: string;
  };
  const versions = Object.entries(pins).flatMap(([part, pin]) => {
    const version = typeof pin === 'string' ? pin : (pin as { version?: unknown } | null)?.version;
    return typeof version === 'string' ? [[part, version] as const] : [];
  });
  return { ...Object.fromEntries(versions), worker: own.version };
}
