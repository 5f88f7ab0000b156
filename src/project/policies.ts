/** Reads `policies/*.yaml`: every fault is named, with its place, before anything is done. */
import { join } from 'node:path';
import { privacySchema } from '../domain/erasure/privacy.schema.ts';
import { checkPrivacy } from '../domain/erasure/privacy-checks.ts';
import { cronAt } from '../domain/policy/cron.ts';
import { FIELDS } from '../domain/policy/fields.ts';
import {
  kindJsonSchema,
  type MaintenanceDocument,
  maintenanceSchema,
  type NightlyDocument,
  nightlySchema,
  POLICY_KINDS,
  type SweepDocument,
  sweepSchema,
  triggerOf,
} from '../domain/policy/policy.schema.ts';
import type {
  MaintenancePolicy,
  NightlyPolicy,
  Origin,
  PartialSettings,
  Policy,
  SweepPolicy,
} from '../domain/policy/policy.ts';
import { type Fault, faultsError } from './faults.ts';
import { type PolicyDocuments, readPolicyDocuments } from './policy-documents.ts';
import { faultsOf, suggest } from './policy-faults.ts';
import { privacyOf } from './privacy.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

export interface LoadedPolicies {
  /** Those without fault, by file name. */
  readonly policies: readonly Policy[];
  readonly faults: readonly Fault[];
}

/**
 * Reads every `.yaml` and `.yml` of a directory.
 * @param directory as it shall stand in the faults: `policies` gives `policies/nightly.yaml:4:9`
 * Rejects with `PolicyInvalid` when there is no such directory.
 */
export async function loadPolicies(directory: string): Promise<LoadedPolicies> {
  const { documents, faults } = await readPolicyDocuments(directory);
  const parsed = parsePolicies(documents, directory);
  return { policies: parsed.policies, faults: [...faults, ...parsed.faults] };
}

/**
 * Reads policies from the texts of their files.
 * @param directory as it shall stand in the faults
 */
export function parsePolicies(documents: PolicyDocuments, directory: string): LoadedPolicies {
  const policies: Policy[] = [];
  const faults: Fault[] = [];
  const places = new Map<string, string>();
  for (const [name, text] of Object.entries(documents)) {
    const file = join(directory, name);
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
  if (kind === 'privacy') {
    const parsed = privacySchema.safeParse(source.value);
    if (!parsed.success)
      return { policy: null, faults: faultsOf(parsed.error.issues, context), namedAt };
    const policy = privacyOf(parsed.data, file);
    const faults = checkPrivacy(policy).map(({ path, message }) => ({
      file,
      ...source.positionOf([...path]),
      message,
    }));
    return { policy: faults.length === 0 ? policy : null, faults, namedAt };
  }
  if (kind === 'sweep') {
    const parsed = sweepSchema.safeParse(source.value);
    if (parsed.success) return { policy: sweep(parsed.data, file), faults: [], namedAt };
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
  const kinds = POLICY_KINDS.join(', ').replace(/, (\w+)$/, ' or $1');
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
    missed: document.missed ?? 'skip',
  };
}

const SWEEP_EVERY_MS = 15 * 60_000;

function sweep(document: SweepDocument, file: string): SweepPolicy {
  const { name, tables = { kind: 'glob', text: '*' }, window = null, budget = {} } = document;
  return {
    kind: 'sweep',
    name,
    file,
    tables: Array.isArray(tables) ? tables : [tables],
    everyMs: document.every ?? SWEEP_EVERY_MS,
    window,
    budget: {
      bytes: budget.bytes ?? null,
      engineSeconds: budget.engineSeconds ?? null,
      tables: budget.tables ?? null,
      concurrency: budget.concurrency ?? 4,
    },
    paused: document.paused ?? false,
  };
}

function maintenance(
  document: MaintenanceDocument,
  file: string,
  source: YamlSource,
): MaintenancePolicy {
  const settings: Record<string, Record<string, unknown>> = {};
  const origins: Record<string, Origin> = {};
  for (const { section, key, name, type } of FIELDS) {
    // Checked by the schema that is made from the same list.
    const value = (document[section] as Readonly<Record<string, unknown>> | undefined)?.[key];
    if (value === undefined) continue;
    const { line } = source.keyPositionOf([section, key]);
    settings[section] = {
      ...settings[section],
      [name]: type.kind === 'trigger' ? triggerOf(value as TriggerOf) : value,
    };
    origins[`${section}.${name}`] = { policy: document.name, file, line };
  }
  const { name, tables } = document;
  return {
    kind: 'maintenance',
    name,
    file,
    tables: Array.isArray(tables) ? tables : [tables],
    // Built key by key from a checked document; FIELDS is what makes the keys fit.
    settings: settings as PartialSettings,
    origins,
  };
}

type TriggerOf = Parameters<typeof triggerOf>[0];
