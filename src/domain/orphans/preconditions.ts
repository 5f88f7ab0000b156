/** What must be so before anybody may look for orphans of a table. */
import type { Reason } from '../operation.ts';
import type { ExpiryPlan } from '../planner/expiry.ts';
import type { Receipt } from '../receipt.ts';

/**
 * No orphan removal before a successful expiry (design §5): the last expiry came to a good end, or
 * there was none and there is nothing to expire. A refused one says nothing: it was not carried
 * out.
 * @param receipts newest first
 */
export function expiredBefore(receipts: readonly Receipt[], expiry: ExpiryPlan): Reason {
  const last = receipts.find(
    ({ operation, status }) => operation === 'expire_snapshots' && status !== 'refused',
  );
  const reason = (met: boolean, value: string, because: string): Reason => ({
    metric: 'expired_before',
    value,
    threshold: 'done, noop, or nothing to expire',
    met,
    because,
  });
  if (last !== undefined) {
    const good = last.status !== 'failed';
    return reason(
      good,
      last.status,
      good
        ? `the expiry of ${last.finishedAt} came to a good end`
        : `the expiry of ${last.finishedAt} failed: run "icewright expire" first`,
    );
  }
  if (expiry.kind === 'refuse') {
    return reason(
      false,
      'refused',
      `nothing was ever expired, and it cannot be: ${expiry.because}`,
    );
  }
  const count = expiry.snapshotIds.length;
  return count === 0
    ? reason(true, 'nothing to expire', 'no snapshot is to be expired')
    : reason(
        false,
        `${count} snapshots`,
        `${count} snapshots are to be expired: run "icewright expire" first`,
      );
}

/** Properties and forms that forbid to delete anything of a table; `null`: none. */
export function refuseTable(table: {
  readonly properties: Readonly<Record<string, string>>;
  readonly encrypted: boolean;
}): { readonly metric: string; readonly because: string } | null {
  if (table.properties['gc.enabled']?.trim().toLowerCase() === 'false') {
    return {
      metric: 'gc_enabled',
      because:
        'gc.enabled is false: files may be shared with other tables or branches of the catalog; ' +
        "use the catalog's own garbage collection",
    };
  }
  if (table.encrypted) {
    return {
      metric: 'encrypted',
      because:
        'the table is encrypted: which files it reaches cannot be read without its keys; ' +
        'remove its orphans with the engine that holds them',
    };
  }
  return null;
}
