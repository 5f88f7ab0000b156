/** Triggers: conditions over measured values, joined by any and all, that explain themselves. */
import type { Reason } from '../operation.ts';

/** What a trigger may look at. Every value is measured, never configured. */
export const METRICS = [
  'small_files',
  'small_files_ratio',
  'file_reduction',
  'files_per_partition_max',
  'data_files',
  'total_bytes',
  'delete_files',
  'delete_ratio',
  'clustering_depth',
  'partition_skew',
  'manifests',
  'snapshots',
  'expirable_snapshots',
  'oldest_snapshot_age_hours',
  'last_commit_age_hours',
  'commits_per_day',
  'hours_since_last_run',
] as const;
export type Metric = (typeof METRICS)[number];

/** `null`: not measured. An unknown value never meets a condition. */
export type Measured = Readonly<Record<Metric, number | null>>;

export type Trigger =
  | { readonly kind: 'at_least'; readonly metric: Metric; readonly atLeast: number }
  | { readonly kind: 'any' | 'all'; readonly of: readonly Trigger[] };

export interface TriggerResult {
  readonly met: boolean;
  /** One for every condition in the order written, met or not. */
  readonly reasons: readonly Reason[];
}

/** Every condition is looked at, also when the outcome is already clear: "why not" needs them. */
export function evaluateTrigger(trigger: Trigger, measured: Measured): TriggerResult {
  if (trigger.kind === 'at_least') {
    const reason = compare(trigger.metric, measured[trigger.metric], trigger.atLeast);
    return { met: reason.met, reasons: [reason] };
  }
  const parts = trigger.of.map((part) => evaluateTrigger(part, measured));
  const met =
    trigger.kind === 'any' ? parts.some((part) => part.met) : parts.every((part) => part.met);
  return { met, reasons: parts.flatMap((part) => part.reasons) };
}

function compare(metric: Metric, value: number | null, threshold: number): Reason {
  const name = metric.replaceAll('_', ' ');
  const met = value !== null && value >= threshold;
  const sign = met ? 'reaches' : 'is below';
  const because =
    value === null
      ? `${name} was not measured; the trigger asks for ${threshold}`
      : `${name} ${figure(value)} ${sign} the trigger's ${threshold}`;
  return { metric, value, threshold, met, because };
}

function figure(value: number): string {
  return String(Number(value.toFixed(3)));
}
