/** Reads `policies/*.yaml`: every fault is named, with its place, before anything is done. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IcewrightError } from '../domain/errors.ts';
import { cronAt } from '../domain/policy/cron.ts';
import {
  kindJsonSchema,
  type MaintenanceDocument,
  maintenanceSchema,
  type NightlyDocument,
  nightlySchema,
  POLICY_KINDS,
  triggerOf,
} from '../domain/policy/policy.schema.ts';
import type {
  MaintenancePolicy,
  NightlyPolicy,
  Origin,
  PartialSettings,
  Policy,
} from '../domain/policy/policy.ts';
import { type Fault, faultsError } from './faults.ts';
import { faultsOf, suggest } from './policy-faults.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

export interface LoadedPolicies {
  /** Those without fault, by file name. */
  readonly policies: readonly Policy[];
  readonly faults: readonly Fault[];
}

/** A policy is a page of text; a larger file is not one. */
const FILE_BYTES_MAX = 256 * 1024;

/**
 * Reads every `.yaml` and `.yml` of a directory.
 * @param directory as it shall stand in the faults: `policies` gives `policies/nightly.yaml:4:9`
 * Rejects with `PolicyInvalid` when there is no such directory.
 */
export async function loadPolicies(directory: string): Promise<LoadedPolicies> {
  const policies: Policy[] = [];
  const faults: Fault[] = [];
  const places = new Map<string, string>();
  for (const name of await listFiles(directory)) {
    const file = join(directory, name);
    const text = await readText(file, faults);
    if (text === null) continue;
    const read = readPolicy(text, file);
    faults.push(...read.faults);
    if (read.policy === null) continue;
    const first = places.get(read.policy.name);
    if (first === undefined) policies.push(read.policy);
    else faults.push({ file, ...read.namedAt, message: twice(read.policy.name, first) });
    places.set(read.policy.name, first ?? file);
  }
  return { policies, faults };
}

/** As {@link loadPolicies}, but rejects with `PolicyInvalid` when there is any fault. */
export async function requirePolicies(directory: string): Promise<readonly Policy[]> {
  const { policies, faults } = await loadPolicies(directory);
  if (faults.length > 0) throw faultsError('PolicyInvalid', faults);
  return policies;
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new IcewrightError(
      'PolicyInvalid',
      `${directory} is not a readable directory (${why}): name the one that holds the policies`,
      { directory },
      error,
    );
  }
}

async function readText(file: string, faults: Fault[]): Promise<string | null> {
  const fault = (message: string) => {
    faults.push({ file, line: 1, column: 1, message });
    return null;
  };
  try {
    const text = await readFile(file, 'utf8');
    return text.length > FILE_BYTES_MAX ? fault('is larger than any policy: 256 KB at most') : text;
  } catch (error) {
    return fault(`cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function twice(name: string, first: string): string {
  return `the name "${name}" is already taken by ${first}: policies need different names`;
}

export interface ReadPolicy {
  /** `null` when there are faults. */
  readonly policy: Policy | null;
  readonly faults: readonly Fault[];
  readonly namedAt: { readonly line: number; readonly column: number };
}

/** Reads one policy from the text of its file. */
export function readPolicy(text: string, file: string): ReadPolicy {
  const source = readYaml(text, file);
  const namedAt = source.positionOf(['name']);
  if (source.faults.length > 0) return { policy: null, faults: source.faults, namedAt };
  const kind = kindOf(source);
  const context = { file, source, schema: kind === null ? {} : kindJsonSchema(kind) };
  if (kind === 'maintenance') {
    const parsed = maintenanceSchema.safeParse(source.value);
    if (parsed.success)
      return { policy: maintenance(parsed.data, file, source), faults: [], namedAt };
    return { policy: null, faults: faultsOf(parsed.error.issues, context), namedAt };
  }
  if (kind === 'nightly') {
    const parsed = nightlySchema.safeParse(source.value);
    if (parsed.success) return { policy: nightly(parsed.data, file), faults: [], namedAt };
    return { policy: null, faults: faultsOf(parsed.error.issues, context), namedAt };
  }
  const faults = [{ file, ...source.positionOf(['kind']), message: kindFault(source.value) }];
  return { policy: null, faults, namedAt };
}

function kindOf({ value }: YamlSource): (typeof POLICY_KINDS)[number] | null {
  const kind = (value as { kind?: unknown } | null)?.kind;
  return POLICY_KINDS.find((known) => known === kind) ?? null;
}

function kindFault(value: unknown): string {
  const kinds = POLICY_KINDS.join(' or ');
  if (typeof value !== 'object' || value === null) return `is empty: write "kind: ${kinds}" first`;
  const kind = (value as { kind?: unknown }).kind;
  if (kind === undefined) return `"kind" is missing: ${kinds}`;
  return `unknown kind "${kind}"${suggest(String(kind), POLICY_KINDS) || `: write ${kinds}`}`;
}

function nightly(document: NightlyDocument, file: string): NightlyPolicy {
  return {
    kind: 'nightly',
    name: document.name,
    file,
    cron: document.cron ?? cronAt(document.at ?? '02:00', document.days ?? []),
    zone: document.zone,
    models: document.models ?? [],
    maintenance: document.maintenance ?? true,
    paused: document.paused ?? false,
    concurrency: document.concurrency ?? 4,
  };
}

/** Names of the document → names of the settings, where they differ. */
const RENAMED: Readonly<Record<string, string>> = {
  targetFileSize: 'targetFileSizeBytes',
  olderThan: 'olderThanMs',
  minInterval: 'minIntervalMs',
  failureBackoff: 'failureBackoffMs',
  failureBackoffMax: 'failureBackoffMaxMs',
};

const SECTIONS = ['compact', 'expire', 'rewriteManifests', 'cadence'] as const;

function maintenance(
  document: MaintenanceDocument,
  file: string,
  source: YamlSource,
): MaintenancePolicy {
  const settings: Record<string, Record<string, unknown>> = {};
  const origins: Record<string, Origin> = {};
  for (const section of SECTIONS) {
    for (const [key, value] of Object.entries(document[section] ?? {})) {
      if (value === undefined) continue;
      const field = RENAMED[key] ?? key;
      const { line } = source.keyPositionOf([section, key]);
      settings[section] = { ...settings[section], [field]: settingOf(key, value) };
      origins[`${section}.${field}`] = { policy: document.name, file, line };
    }
  }
  const { name, tables } = document;
  return {
    kind: 'maintenance',
    name,
    file,
    tables: Array.isArray(tables) ? tables : [tables],
    // Built key by key from a checked document; RENAMED is what makes the keys fit.
    settings: settings as PartialSettings,
    origins,
  };
}

function settingOf(key: string, value: unknown): unknown {
  return key === 'trigger' ? triggerOf(value as Parameters<typeof triggerOf>[0]) : value;
}
