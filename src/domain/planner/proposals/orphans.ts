/** Orphans: looked for under a table's location, never without a good expiry before. */
import { IcewrightError } from '../../errors.ts';
import type { HandRequest } from '../../hand-request.ts';
import type { TableHealth } from '../../health/health.ts';
import type { Reason, RemoveOrphansOperation } from '../../operation.ts';
import { ORPHAN_AGE_FLOOR_MS, orphanAge, orphanCap } from '../../orphans/look.ts';
import { placesOf, refusePlaces } from '../../orphans/places.ts';
import { expiredBefore, refuseTable } from '../../orphans/preconditions.ts';
import type { EffectivePolicy } from '../../policy/policy.ts';
import { formatDuration } from '../../units.ts';
import { route } from '../capability.ts';
import { refusalReason } from '../reasons.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

export { ORPHAN_AGE_FLOOR_MS } from '../../orphans/look.ts';

/** By policy a file must be found by looks of two runs, so far apart at least. */
export const LOOK_GAP_MS = 3_600_000;
/** By hand both looks are of one run, so far apart unless asked otherwise. */
export const LOOK_PAUSE_MS = 10_000;

export function proposeOrphans(input: ProposalInput): Proposal {
  const { health, policy, recentReceipts, expiry } = input;
  const { enabled, trigger, olderThanMs, ...limits } = policy.settings.orphans;
  const expired = expiredBefore(recentReceipts, expiry);
  const age = orphanAge(olderThanMs, recentReceipts);
  return {
    kind: 'remove_orphans',
    enabled,
    trigger,
    refusals: [...refusalsOf(health), ...(expired.met ? [] : [expired])],
    worth: [expired, oldEnough(health, age.ageMs, input.nowMs)],
    route: route('remove_orphans', 'auto', health),
    operation: {
      kind: 'remove_orphans',
      olderThanMs: Math.max(olderThanMs, ORPHAN_AGE_FLOOR_MS),
      maxFiles: orphanCap(limits, health.dataFiles),
      looks: { kind: 'later', gapMs: LOOK_GAP_MS },
    },
    estimate: null,
  };
}

/** What the metadata alone forbid; where other tables lie is asked when it is carried out. */
function refusalsOf(health: TableHealth): readonly Reason[] {
  const encrypted = 'encryption.key-id' in health.properties;
  const table = refuseTable({ properties: health.properties, encrypted });
  const places = refusePlaces(health.table, placesOf(health.location, health.properties));
  return [
    ...(table === null ? [] : [refusalReason(table.metric, table.because)]),
    ...(places === null ? [] : [refusalReason('location', places)]),
  ];
}

/** While the table's first snapshot is there and younger than the limit, so are all its files. */
function oldEnough(health: TableHealth, ageMs: number, nowMs: number): Reason {
  const first = health.snapshots.filter((one) => one.parentSnapshotId === null);
  const oldestMs = Math.min(...health.snapshots.map((one) => one.committedAtMs));
  const known = first.length > 0 && Number.isFinite(oldestMs);
  const tableAgeMs = nowMs - oldestMs;
  const met = !known || tableAgeMs > ageMs;
  return {
    metric: 'table_age_hours',
    value: known ? Math.floor(tableAgeMs / 3_600_000) : null,
    threshold: Math.floor(ageMs / 3_600_000),
    met,
    because: met
      ? `files older than ${formatDuration(ageMs)} may lie under its location`
      : `no file can be old enough yet: the table is ${formatDuration(tableAgeMs)} old, ` +
        `and files younger than ${formatDuration(ageMs)} stay`,
  };
}

type OrphansRequest = Extract<HandRequest, { kind: 'remove_orphans' }>;

/**
 * The operation that a person asks for.
 * @throws IcewrightError `UsageInvalid` for an age below the floor or a senseless number
 */
export function askedOrphans(
  request: OrphansRequest,
  policy: EffectivePolicy,
  health: TableHealth,
): RemoveOrphansOperation {
  const { olderThanMs, ...limits } = policy.settings.orphans;
  const { maxFiles } = request;
  if (request.olderThanMs !== null && !(request.olderThanMs >= ORPHAN_AGE_FLOOR_MS)) {
    throw new IcewrightError(
      'UsageInvalid',
      `--older-than ${formatDuration(request.olderThanMs)} is below the floor of ` +
        `${ORPHAN_AGE_FLOOR_MS / 3_600_000} h: a younger file may be of a write that has not ` +
        'committed yet',
    );
  }
  if (maxFiles !== null && !(Number.isInteger(maxFiles) && maxFiles >= 0)) {
    throw new IcewrightError('UsageInvalid', '--max-files must be a whole number, 0 or more');
  }
  return {
    kind: 'remove_orphans',
    olderThanMs: Math.max(request.olderThanMs ?? olderThanMs, ORPHAN_AGE_FLOOR_MS),
    maxFiles: maxFiles ?? orphanCap(limits, health.dataFiles),
    looks: { kind: 'soon', pauseMs: request.pauseMs ?? LOOK_PAUSE_MS },
  };
}
