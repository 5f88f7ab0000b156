/** The policy of one table: every policy that names it laid over the defaults, field by field. */
import type { TableRef } from '../table.ts';
import { selects, specificity, type TableProperties, type TableSelector } from './match.ts';
import { applyOverrides } from './overrides.ts';
import {
  DEFAULT_SETTINGS,
  type EffectivePolicy,
  type MaintenancePolicy,
  type Origin,
  overlay,
  type Policy,
  SECTIONS,
  type SweepPolicy,
} from './policy.ts';

/** The origin of every field that nobody set. No line: what a person wrote in a file has one. */
export const BUILT_IN: Origin = { policy: 'built-in', file: 'built-in defaults', line: 0 };

/**
 * Lays every maintenance policy that names the table over the defaults, the less specific first,
 * field by field, and at last what the table's own properties say, where the policies allow it.
 * A trigger is one field: it is replaced as a whole; so is a window.
 * @param properties of the table: for `{tag: …}` and for overrides; none: neither counts
 */
export function effectivePolicy(
  policies: readonly Policy[],
  table: TableRef,
  properties: TableProperties = {},
): EffectivePolicy {
  let settings = DEFAULT_SETTINGS;
  const origins: Record<string, Origin> = {};
  for (const section of SECTIONS) {
    for (const field of Object.keys(settings[section])) origins[`${section}.${field}`] = BUILT_IN;
  }
  for (const policy of applicable(policies, table, properties)) {
    settings = overlay(settings, policy.settings);
    Object.assign(origins, policy.origins);
  }
  const own = applyOverrides(properties, settings);
  return {
    settings: overlay(settings, own.settings),
    origins: { ...origins, ...own.origins },
    ...(own.ignored.length === 0 ? {} : { ignored: own.ignored }),
  };
}

/** The maintenance policies that name the table, the less specific first. */
export function applicable(
  policies: readonly Policy[],
  table: TableRef,
  properties: TableProperties = {},
): readonly MaintenancePolicy[] {
  return policies
    .filter((policy) => policy.kind === 'maintenance')
    .map((policy) => ({ policy, rank: rankOf(policy.tables, table, properties) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => a.rank - b.rank || (a.policy.name < b.policy.name ? -1 : 1))
    .map(({ policy }) => policy);
}

/** The sweep that looks after a table: the one that names it most precisely; `null`: none. */
export function sweepOf(
  policies: readonly Policy[],
  table: TableRef,
  properties: TableProperties = {},
): SweepPolicy | null {
  const found = policies
    .filter((policy) => policy.kind === 'sweep')
    .map((policy) => ({ policy, rank: rankOf(policy.tables, table, properties) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => b.rank - a.rank || (a.policy.name > b.policy.name ? -1 : 1));
  return found[0]?.policy ?? null;
}

function rankOf(
  selectors: readonly TableSelector[],
  table: TableRef,
  properties: TableProperties,
): number {
  const ranks = selectors
    .filter((selector) => selects(selector, table, properties))
    .map((selector) => specificity(selector));
  return Math.max(-1, ...ranks);
}
