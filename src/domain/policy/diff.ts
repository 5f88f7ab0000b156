/** What an edit of the policies changes: settings of tables, decisions, nights and sweeps. */
import type { Decision, OperationKind, TablePlan } from '../operation.ts';
import { pathOfSetting } from './fields.ts';
import type { EffectivePolicy, Origin, Policy } from './policy.ts';
import { showSetting } from './setting-text.ts';

export interface FieldChange {
  /** As the files write it: `compact.targetFileSize`. */
  readonly field: string;
  /** For people: `512 MB`. */
  readonly before: string;
  readonly after: string;
  readonly beforeFrom: Origin | null;
  readonly afterFrom: Origin | null;
}

/** Fields whose values differ; where a value was written does not matter by itself. */
export function diffSettings(
  before: EffectivePolicy,
  after: EffectivePolicy,
): readonly FieldChange[] {
  const [old, now] = [flatten(before), flatten(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((setting) => {
    const [was, is] = [old.get(setting), now.get(setting)];
    if (canonical(was) === canonical(is)) return [];
    return [
      {
        field: pathOfSetting(setting),
        before: showSetting(setting, was),
        after: showSetting(setting, is),
        beforeFrom: before.origins[setting] ?? null,
        afterFrom: after.origins[setting] ?? null,
      },
    ];
  });
}

function flatten({ settings }: EffectivePolicy): ReadonlyMap<string, unknown> {
  const entries = Object.entries(settings).flatMap(([section, fields]) =>
    Object.entries(fields).map(([name, value]) => [`${section}.${name}`, value] as const),
  );
  return new Map(entries);
}

/** Equal for equal values, in whatever order their fields were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

export interface DecisionChange {
  readonly kind: OperationKind;
  readonly before: Decision;
  readonly after: Decision;
}

/** Decisions that differ in what would be done. Reasons differ with every threshold: not these. */
export function diffDecisions(before: TablePlan, after: TablePlan): readonly DecisionChange[] {
  return after.decisions.flatMap((decision) => {
    const old = before.decisions.find(({ kind }) => kind === decision.kind);
    if (old === undefined || canonical(deed(old)) === canonical(deed(decision))) return [];
    return [{ kind: decision.kind, before: old, after: decision }];
  });
}

function deed({ action, engine, operation, overdue = false }: Decision) {
  return { action, engine, operation, overdue };
}

export interface ScheduleChange {
  readonly kind: 'nightly' | 'sweep';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Names of the fields that changed. */
  readonly fields: readonly string[];
}

/** Nights and sweeps by name; the file that one stands in does not matter. */
export function diffSchedulesOf(
  before: readonly Policy[],
  after: readonly Policy[],
): readonly ScheduleChange[] {
  const [old, now] = [scheduled(before), scheduled(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .flatMap((name): readonly ScheduleChange[] => {
      const [was, is] = [old.get(name), now.get(name)];
      const kind = (is ?? was)?.kind ?? 'nightly';
      if (was === undefined) return [{ kind, name, change: 'added', fields: [] }];
      if (is === undefined) return [{ kind, name, change: 'removed', fields: [] }];
      const fields = changedFields(was, is);
      return fields.length === 0 ? [] : [{ kind, name, change: 'changed', fields }];
    });
}

type Scheduled = Extract<Policy, { readonly kind: 'nightly' | 'sweep' }>;

function scheduled(policies: readonly Policy[]): ReadonlyMap<string, Scheduled> {
  const found = policies.filter((one) => one.kind === 'nightly' || one.kind === 'sweep');
  return new Map(found.map((policy) => [policy.name, policy]));
}

function changedFields(before: Scheduled, after: Scheduled): readonly string[] {
  const old: Readonly<Record<string, unknown>> = { ...before };
  const now: Readonly<Record<string, unknown>> = { ...after };
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return names.filter((name) => name !== 'file' && canonical(old[name]) !== canonical(now[name]));
}
