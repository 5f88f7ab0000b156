/** The reasons that decisions share: what was looked at, against what, and what it means. */
import type { TableHealth } from '../health/health.ts';
import type { Reason } from '../operation.ts';
import type { Route } from './capability.ts';
import type { ExpiryPlan } from './expiry.ts';

export function enabledReason(enabled: boolean): Reason {
  const because = enabled ? 'the policy has it switched on' : 'the policy has it switched off';
  return { metric: 'enabled', value: enabled, threshold: true, met: enabled, because };
}

export function hasSnapshot(health: TableHealth): Reason {
  const met = health.snapshotId !== null;
  const because = met ? 'the table holds a snapshot' : 'the table has no snapshot yet';
  return { metric: 'has_snapshot', value: met, threshold: true, met, because };
}

export function routeReason(chosen: Route, health: TableHealth): Reason {
  return {
    metric: 'engine',
    value: chosen.engine,
    threshold: `format version ${health.formatVersion}`,
    met: chosen.kind === 'routed',
    because: chosen.because,
  };
}

/** `null`: all there. Otherwise the refusal, with the columns that the table has. */
export function unknownColumns(health: TableHealth, columns: readonly string[]): Reason | null {
  const names = health.columns.map((column) => column.name);
  const lost = columns.filter((column) => !names.includes(column.split('.')[0] as string));
  if (lost.length === 0) return null;
  return {
    metric: 'columns',
    value: lost.join(', '),
    threshold: names.join(', '),
    met: false,
    because: `${health.table} has no column ${lost.join(', ')}; it has ${names.join(', ')}`,
  };
}

export function refusalReason(metric: string, because: string): Reason {
  return { metric, value: false, threshold: true, met: false, because };
}

/** One reason for the ids that go, and one for each cause that keeps others, with its count. */
export function expiryReasons(expiry: Extract<ExpiryPlan, { kind: 'expire' }>): readonly Reason[] {
  const causes = new Map<string, number>();
  for (const cause of expiry.kept.flatMap((one) => one.because)) {
    causes.set(cause, (causes.get(cause) ?? 0) + 1);
  }
  const count = expiry.snapshotIds.length;
  const going: Reason = {
    metric: 'expirable_snapshots',
    value: count,
    threshold: 1,
    met: count > 0,
    because: `${count} snapshots are old enough and needed by nothing; ${expiry.kept.length} stay`,
  };
  const staying = [...causes].slice(0, 50).map(
    ([because, kept]): Reason => ({
      metric: 'kept_snapshots',
      value: kept,
      threshold: null,
      met: true,
      because,
    }),
  );
  return [going, ...staying];
}

/** @param told what to say where some are wanting, before their names, and where none is */
export function propertiesWanting(
  names: readonly string[],
  told: { readonly some: string; readonly none: string },
): Reason {
  const met = names.length > 0;
  const because = met ? `${told.some} ${names.join(', ')}` : told.none;
  return { metric: 'properties_wanting', value: names.length, threshold: 1, met, because };
}
