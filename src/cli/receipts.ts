import type { Decision, Receipt } from '../domain/operation.ts';
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
    if (receipt.status === 'refused') return `${what}: refused: ${receipt.error?.message}`;
    return `${what} on ${receipt.engine}: ${receipt.status} in ${took}; ${parts.join(', ')}${taken}${id}`;
  });
}

/** `compact: skip, because 2 small files, fewer than 5` */
export function decisionLine(decision: Decision): string {
  const unmet = decision.reasons.filter((reason) => !reason.met);
  const told = decision.action === 'run' ? decision.reasons : unmet;
  const because = told.map((reason) => reason.because).join('; ');
  const engine = decision.engine === null ? '' : ` on ${decision.engine}`;
  const what = decision.kind.replace(/_/g, ' ');
  return `${what}: ${decision.action}${decision.action === 'run' ? engine : ''}: ${because}`;
}
