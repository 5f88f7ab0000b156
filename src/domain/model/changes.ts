/** Has anything changed since a model last wrote its target? Told from snapshots alone. */
import type { SnapshotInfo } from '../health/health.ts';
import { ancestry, INPUTS_PROPERTY, readInputs } from '../watermark.ts';
import { MODEL_DIGEST_PROPERTY } from './model.ts';

export interface ChangeQuestion {
  /** Snapshots of the target's main branch (see `ancestry`), in any order. */
  readonly targetSnapshots: readonly SnapshotInfo[];
  /** Input table → snapshots of its main branch, in any order. */
  readonly inputs: Readonly<Record<string, readonly SnapshotInfo[]>>;
  readonly modelDigest: string;
}

export interface ChangeAnswer {
  readonly changed: boolean;
  /** A sentence for each input and for the model, also for what has not changed. */
  readonly reasons: readonly string[];
}

interface Finding {
  readonly changed: boolean;
  readonly because: string;
}

/**
 * Compares what the target's newest watermark says was read with what the inputs hold now.
 * Commits that changed no row (compaction, an empty append) do not count. What cannot be known,
 * because snapshots are gone, counts as changed.
 */
export function inputsChanged(question: ChangeQuestion): ChangeAnswer {
  const last = lineOf(question.targetSnapshots).find(
    ({ summary }) => summary[INPUTS_PROPERTY] !== undefined,
  );
  const read = last === undefined ? null : readInputs(last.summary);
  if (last === undefined || read === null || read === 'unreadable') {
    const because = read === 'unreadable' ? 'its watermark cannot be read' : 'it has no watermark';
    return { changed: true, reasons: [because] };
  }
  const findings = [
    modelFinding(last, question.modelDigest),
    ...Object.entries(question.inputs).map(([table, snapshots]) =>
      inputFinding(table, read[table], lineOf(snapshots)),
    ),
  ];
  return {
    changed: findings.some((one) => one.changed),
    reasons: findings.map((one) => one.because),
  };
}

function modelFinding({ summary }: SnapshotInfo, digest: string): Finding {
  const changed = summary[MODEL_DIGEST_PROPERTY] !== digest;
  return { changed, because: changed ? 'the model has changed' : 'the model is the same' };
}

function inputFinding(
  table: string,
  readAt: string | undefined,
  line: readonly SnapshotInfo[],
): Finding {
  if (readAt === undefined) return { changed: true, because: `${table} was not read before` };
  const head = line[0];
  if (head === undefined) return { changed: true, because: `${table} has no snapshot` };
  for (const snapshot of line) {
    if (snapshot.snapshotId === readAt) break;
    if (changesRows(snapshot)) {
      return { changed: true, because: `${table} has changed since snapshot ${readAt}` };
    }
    // The snapshot that was read may itself be expired: its id as a parent is proof enough.
    if (snapshot.parentSnapshotId === readAt) break;
    if (snapshot === line[line.length - 1]) {
      return { changed: true, because: `${table}: what followed snapshot ${readAt} is expired` };
    }
  }
  return { changed: false, because: `${table} is as it was at snapshot ${readAt}` };
}

const CHANGES = [
  'added-data-files',
  'deleted-data-files',
  'added-delete-files',
  'removed-delete-files',
];

/** An engine that leaves the counts out of its summary is taken to have changed something. */
function changesRows({ operation, summary }: SnapshotInfo): boolean {
  if (operation === 'replace') return false;
  if (CHANGES.some((name) => summary[name] !== undefined && summary[name] !== '0')) return true;
  return summary['changed-partition-count'] !== '0';
}

/** Newest first, from the one that is nobody's parent. */
function lineOf(snapshots: readonly SnapshotInfo[]): readonly SnapshotInfo[] {
  const parents = new Set(snapshots.map((one) => one.parentSnapshotId));
  const heads = snapshots.filter((one) => !parents.has(one.snapshotId));
  const head = heads.sort(
    (a, b) => b.sequenceNumber - a.sequenceNumber || b.committedAtMs - a.committedAtMs,
  )[0];
  return ancestry(snapshots, head?.snapshotId ?? null);
}
