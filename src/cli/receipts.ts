import type { Decision } from '../domain/operation.ts';
import type { OrphanCounts } from '../domain/orphans/operation.ts';
import type { Receipt } from '../domain/receipt.ts';
import { formatBytes, formatDuration } from '../domain/units.ts';

/** `compact on spark: done in 1.2 s; 60 → 5 files, 61 → 62 snapshots, 12 MB → 11 MB` */
export function receiptLines(receipts: readonly Receipt[]): readonly string[] {
  return receipts.map((receipt) => {
    const took = formatDuration(Date.parse(receipt.finishedAt) - Date.parse(receipt.startedAt));
    const parts = [
      `${receipt.filesBefore} → ${receipt.filesAfter} files`,
      `${receipt.snapshotsBefore} → ${receipt.snapshotsAfter} snapshots`,
      `${formatBytes(receipt.bytesBefore)} → ${formatBytes(receipt.bytesAfter)}`,
    ];
    const taken = receipt.reattached ? ' (taken over from a worker that died)' : '';
    const id = receipt.engineOperationId === null ? '' : ` [${receipt.engineOperationId}]`;
    const what = receipt.operation.replace(/_/g, ' ');
    const { orphans } = receipt;
    if (orphans !== undefined && receipt.status !== 'refused') {
      return `${what}: ${receipt.status} in ${took}; ${orphansText(receipt.filesRemoved, orphans)}`;
    }
    if (receipt.status === 'refused') return `${what}: refused: ${receipt.error?.message}`;
    const notes = (receipt.notes ?? []).map((note) => `; ${note}`).join('');
    const figures = `${parts.join(', ')}${taken}${id}${notes}`;
    return `${what} on ${receipt.engine}: ${receipt.status} in ${took}; ${figures}`;
  });
}

function orphansText(removed: number, orphans: OrphanCounts): string {
  const { listed, reachable, young, unknownAge, bytesFreed, olderThanBecause, note } = orphans;
  const kept = `${reachable} reachable, ${young} too young, ${unknownAge} of unknown age`;
  const gone = `${removed} of ${listed} files removed (${formatBytes(bytesFreed)})`;
  return `${gone}; ${kept}; older than ${olderThanBecause}${note === null ? '' : `; ${note}`}`;
}

/** `compact: skip: file reduction 0 is below the trigger's 4` */
export function decisionLine(decision: Decision): string {
  const { action, engine, kind, reasons } = decision;
  const unmet = reasons.filter((reason) => !reason.met);
  const told = (action === 'run' ? reasons : unmet).map((reason) => reason.because);
  const where = action === 'run' && engine !== null ? ` on ${engine}` : '';
  return `${kind.replace(/_/g, ' ')}: ${action}${where}: ${told.join('; ')}`;
}

/**
 * The shortest true answer: `skip, file_reduction 0 of 4` or `run on trino, file_reduction 7 of
 * 4`.
 */
export function decisionSummary(decision: Decision): string {
  const { action, engine, reasons } = decision;
  const telling = reasons.find(({ met, value }) =>
    action === 'run' ? typeof value === 'number' : !met,
  );
  const measured =
    typeof telling?.value === 'number' ? `${telling.value} of ${telling.threshold}` : null;
  const because =
    measured === null ? telling?.because : `${telling?.metric.replace(/_/g, ' ')} ${measured}`;
  return `${action}${action === 'run' ? ` on ${engine}` : ''}${because ? ` (${because})` : ''}`;
}
