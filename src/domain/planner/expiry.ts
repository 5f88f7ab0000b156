/**
 * Which snapshots may expire, as exact ids. A snapshot goes only when it is old and nothing that is
 * known needs it; whatever is not known keeps it (design §6).
 */
import type { SnapshotInfo, TableHealth } from '../health/health.ts';
import { formatDuration } from '../units.ts';
import { ancestry, type Consumers, INPUTS_PROPERTY } from '../watermark.ts';
import { expiredUnasked } from './expiry-unasked.ts';

export interface ExpiryInput {
  readonly health: TableHealth;
  readonly olderThanMs: number;
  /** At least 1: applied to every branch. */
  readonly keepLast: number;
  /** Snapshot ids that a live run reads. */
  readonly pinned: readonly string[];
  readonly consumers: Consumers;
  readonly nowMs: number;
}

export interface KeptSnapshot {
  readonly snapshotId: string;
  /** Every reason that keeps it. */
  readonly because: readonly string[];
}

export type ExpiryPlan =
  | {
      readonly kind: 'expire';
      /** Oldest first; may be empty. */
      readonly snapshotIds: readonly string[];
      readonly kept: readonly KeptSnapshot[];
    }
  | { readonly kind: 'refuse'; readonly metric: string; readonly because: string };

/** Collects why a snapshot stays. */
type Keep = (snapshotId: string, because: string) => void;

export function planExpiry(input: ExpiryInput): ExpiryPlan {
  const refusal = refuseExpiry(input);
  if (refusal !== null) return refusal;
  const reasons = new Map<string, string[]>();
  const keep: Keep = (snapshotId, because) => {
    const known = reasons.get(snapshotId);
    if (known === undefined) reasons.set(snapshotId, [because]);
    else if (!known.includes(because)) known.push(because);
  };
  keepYoung(input, keep);
  keepRefs(input, keep);
  keepWatermarks(input.health, keep);
  keepStreamed(input, keep);
  for (const id of input.pinned) keep(id, 'read by a run that is going on');
  keepUnread(input, keep);
  const byAge = [...input.health.snapshots].sort((a, b) => compareAge(a, b));
  return {
    kind: 'expire',
    snapshotIds: byAge.map((one) => one.snapshotId).filter((id) => !reasons.has(id)),
    kept: byAge.flatMap(({ snapshotId }) => {
      const because = reasons.get(snapshotId);
      return because === undefined ? [] : [{ snapshotId, because }];
    }),
  };
}

/**
 * Whether ids that were planned earlier may still go: a sentence that names the first that may not,
 * `null` when all may. Age is not asked again; what is needed is.
 */
export function neededByNow(
  snapshotIds: readonly string[],
  state: Pick<ExpiryInput, 'health' | 'pinned' | 'consumers' | 'nowMs'>,
): string | null {
  const plan = planExpiry({ ...state, olderThanMs: 0, keepLast: 1 });
  if (plan.kind === 'refuse') return plan.because;
  const kept = plan.kept.find((one) => snapshotIds.includes(one.snapshotId));
  return kept === undefined ? null : `snapshot ${kept.snapshotId} is ${kept.because.join(', ')}`;
}

function refuseExpiry({ health, consumers, nowMs }: ExpiryInput): ExpiryPlan | null {
  const refuse = (metric: string, because: string): ExpiryPlan => ({
    kind: 'refuse',
    metric,
    because,
  });
  if (health.properties['gc.enabled']?.toLowerCase() === 'false') {
    return refuse(
      'gc_enabled',
      'gc.enabled is false: files may be shared with other tables or branches of the catalog; ' +
        "use the catalog's own garbage collection",
    );
  }
  const there = new Set(health.snapshots.map((snapshot) => snapshot.snapshotId));
  const lost = health.refs.find((ref) => !there.has(ref.snapshotId));
  const headLost = health.snapshotId !== null && !there.has(health.snapshotId);
  if (lost !== undefined || headLost) {
    const what = lost === undefined ? 'the current snapshot' : `${lost.type} ${lost.name}`;
    return refuse('snapshots_known', `${what} is missing from the list of snapshots`);
  }
  const blind = consumers.unreadable[0];
  if (blind !== undefined) {
    return refuse(
      'watermarks_known',
      `the watermark of ${blind} cannot be read, so what it still needs is not known`,
    );
  }
  const more = expiredUnasked(health, nowMs);
  return more === null ? null : refuse('nothing_unasked', more);
}

function compareAge(a: SnapshotInfo, b: SnapshotInfo): number {
  return (
    a.committedAtMs - b.committedAtMs ||
    a.sequenceNumber - b.sequenceNumber ||
    (a.snapshotId < b.snapshotId ? -1 : 1)
  );
}

function keepYoung({ health, olderThanMs, nowMs }: ExpiryInput, keep: Keep): void {
  for (const snapshot of health.snapshots) {
    // Written so that an unknown time (NaN) keeps the snapshot.
    const old = nowMs - snapshot.committedAtMs > olderThanMs;
    if (!old) keep(snapshot.snapshotId, `younger than ${formatDuration(olderThanMs)}`);
  }
}

function keepRefs({ health, keepLast }: ExpiryInput, keep: Keep): void {
  const last = Math.max(1, keepLast);
  const main = ancestry(health.snapshots, health.snapshotId);
  const onMain = new Set(main.map((snapshot) => snapshot.snapshotId));
  for (const { snapshotId } of main.slice(0, last))
    keep(snapshotId, `among the last ${last} of main`);
  if (health.snapshotId !== null) keep(health.snapshotId, 'current snapshot');
  for (const ref of health.refs) {
    keep(ref.snapshotId, `head of ${ref.type} ${ref.name}`);
    if (ref.type === 'tag' || ref.name === 'main') continue;
    const line = ancestry(health.snapshots, ref.snapshotId);
    for (const { snapshotId } of line.slice(0, last)) {
      keep(snapshotId, `among the last ${last} of branch ${ref.name}`);
    }
    // A fast-forward walks from the branch's head to main: that path must stay whole.
    const meeting = line.findIndex((snapshot) => onMain.has(snapshot.snapshotId));
    const path = meeting < 0 ? line : line.slice(0, meeting + 1);
    for (const { snapshotId } of path) keep(snapshotId, `joins branch ${ref.name} to main`);
  }
}

/**
 * A writer that starts again walks from a branch's head from parent to parent until it meets its
 * own watermark: the newest carrier stays, and with it the whole way to it.
 */
function keepWatermarks(health: TableHealth, keep: Keep): void {
  const branches = health.refs.filter((ref) => ref.type === 'branch').map((ref) => ref.snapshotId);
  const heads = new Set([...branches, ...(health.snapshotId === null ? [] : [health.snapshotId])]);
  for (const head of heads) {
    const line = ancestry(health.snapshots, head);
    for (const [watermark, place] of newestPlaces(line)) {
      for (const { snapshotId } of line.slice(0, place)) keep(snapshotId, `leads to ${watermark}`);
      keep((line[place] as SnapshotInfo).snapshotId, `newest with ${watermark}`);
    }
  }
  // On no branch any more, perhaps rolled back: a writer may still ask for it by its id.
  const newestFirst = [...health.snapshots].sort((a, b) => compareAge(b, a));
  for (const [watermark, place] of newestPlaces(newestFirst)) {
    keep((newestFirst[place] as SnapshotInfo).snapshotId, `newest with ${watermark}`);
  }
}

/**
 * A sink that starts again after a crash may be several commits behind, and asks for those: of a
 * table that a stream writes, only what is hours old goes.
 */
const STREAM_AGE_MS = 6 * 3_600_000;

function keepStreamed({ health, nowMs }: ExpiryInput, keep: Keep): void {
  const streamed = health.snapshots.some((one) =>
    watermarksIn(one).some((watermark) => watermark !== INPUTS_PROPERTY),
  );
  if (!streamed) return;
  const because = `younger than ${formatDuration(STREAM_AGE_MS)}, in a table that a stream writes`;
  for (const { snapshotId, committedAtMs } of health.snapshots) {
    if (!(nowMs - committedAtMs > STREAM_AGE_MS)) keep(snapshotId, because);
  }
}

/** Watermark → index of its first carrier. */
function newestPlaces(newestFirst: readonly SnapshotInfo[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [index, snapshot] of newestFirst.entries()) {
    for (const watermark of watermarksIn(snapshot)) {
      if (!places.has(watermark)) places.set(watermark, index);
    }
  }
  return places;
}

/**
 * What a writer would look for in this snapshot to know where it had stopped. Flink's job ids
 * change when a job is submitted anew, so any checkpoint stands for all; Kafka's sinks have lasting
 * keys.
 */
export function watermarksIn({ summary }: SnapshotInfo): readonly string[] {
  const keys = Object.keys(summary);
  const found = keys.filter((key) => key.startsWith('kafka.connect.offsets.'));
  if (INPUTS_PROPERTY in summary) found.push(INPUTS_PROPERTY);
  if (keys.some((key) => key.startsWith('flink.'))) found.push('a Flink checkpoint');
  return found;
}

/** A consumer reads on from its watermark to the head: every snapshot between must be there. */
function keepUnread({ health, consumers }: ExpiryInput, keep: Keep): void {
  const main = ancestry(health.snapshots, health.snapshotId);
  for (const { snapshotId, consumer } of consumers.consumed) {
    const mark = health.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId);
    // Gone already: nothing that could be kept would help this consumer.
    if (mark === undefined) continue;
    const place = main.indexOf(mark);
    const unread =
      place >= 0
        ? main.slice(0, place)
        : health.snapshots.filter((one) => one !== mark && !(compareAge(one, mark) < 0));
    keep(snapshotId, `${consumer} has read up to here`);
    for (const one of unread) keep(one.snapshotId, `not yet read by ${consumer}`);
  }
}
