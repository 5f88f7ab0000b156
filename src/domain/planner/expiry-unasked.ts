/**
 * What an engine's expiry would do that nobody asked for. It is told exact ids and no age, yet it
 * also obeys the retention that refs carry themselves, and drops refs that the table's property
 * calls too old. Where that would take anything, expiry is refused as a whole.
 */
import type { SnapshotRef, TableHealth } from '../health/health.ts';
import { ancestry } from '../watermark.ts';

const MAX_REF_AGE = 'history.expire.max-ref-age-ms';
const MIN_SNAPSHOTS = 'history.expire.min-snapshots-to-keep';

/**
 * The plan may wait this long before it is carried out: what will be too old by then counts as too
 * old now.
 */
const AHEAD_MS = 3_600_000;

/** A sentence that names the first ref that would lose something; `null`: none would. */
export function expiredUnasked(health: TableHealth, nowMs: number): string | null {
  for (const ref of health.refs) {
    const lost = refTooOld(health, ref, nowMs) ?? snapshotsTooOld(health, ref, nowMs);
    if (lost !== null) return lost;
  }
  return null;
}

function refTooOld(health: TableHealth, ref: SnapshotRef, nowMs: number): string | null {
  if (ref.name === 'main') return null;
  const property = health.properties[MAX_REF_AGE];
  const maxAgeMs = ref.maxRefAgeMs ?? Number(property ?? Number.POSITIVE_INFINITY);
  const head = health.snapshots.find((one) => one.snapshotId === ref.snapshotId);
  const ageMs = nowMs + AHEAD_MS - (head?.committedAtMs ?? Number.NaN);
  // Written so that an unknown age or limit (NaN) counts as too old.
  if (ageMs < maxAgeMs) return null;
  const limit = ref.maxRefAgeMs === undefined ? MAX_REF_AGE : 'its own retention';
  return (
    `the engine would also drop ${ref.type} ${ref.name}: it is older than ${limit}; ` +
    'drop it or lift the limit first'
  );
}

function snapshotsTooOld(health: TableHealth, ref: SnapshotRef, nowMs: number): string | null {
  const maxAgeMs = ref.maxSnapshotAgeMs;
  if (ref.type === 'tag' || maxAgeMs === undefined) return null;
  const fallback = Number(health.properties[MIN_SNAPSHOTS] ?? 1);
  const kept = ref.minSnapshotsToKeep ?? (Number.isFinite(fallback) ? fallback : 1);
  const line = ancestry(health.snapshots, ref.snapshotId).slice(kept);
  const aged = line.filter((one) => !(nowMs + AHEAD_MS - one.committedAtMs < maxAgeMs));
  if (aged.length === 0) return null;
  return (
    `the engine would also expire ${aged.length} snapshots of branch ${ref.name} by the branch's ` +
    'own retention; lift that retention and let the policy decide'
  );
}
