/** When an operation may run again: minimum interval, back-off after failures, the breaker. */
import type { OperationKind, Reason, Receipt } from '../operation.ts';
import { formatDuration } from '../units.ts';
import type { CadencePolicy } from './policy.ts';

export interface CadenceInput {
  readonly kind: OperationKind;
  readonly policy: CadencePolicy;
  /** Of the table, newest first; those of other operations are passed over. */
  readonly recentReceipts: readonly Receipt[];
  readonly nowMs: number;
}

export interface Cadence {
  readonly allowed: boolean;
  readonly breakerOpen: boolean;
  /** From when it may run; `null`: now, or (with an open breaker) when a person resumes it. */
  readonly nextEligibleAtMs: number | null;
  readonly reasons: readonly Reason[];
}

/** Failures in a row since the last success. A cancelled run counts neither way. */
export function consecutiveFailures(kind: OperationKind, receipts: readonly Receipt[]): number {
  let failures = 0;
  for (const receipt of receipts) {
    if (receipt.operation !== kind) continue;
    if (receipt.status === 'done' || receipt.status === 'noop') return failures;
    if (isFailure(receipt)) failures += 1;
  }
  return failures;
}

function isFailure(receipt: Receipt): boolean {
  return receipt.status === 'failed' && receipt.error?.code !== 'Cancelled';
}

export function judgeCadence(input: CadenceInput): Cadence {
  const mine = input.recentReceipts.filter((receipt) => receipt.operation === input.kind);
  const failures = consecutiveFailures(input.kind, mine);
  const breaker = judgeBroken(mine, failures) ?? judgeBreaker(failures, input.policy);
  const waits = [judgeInterval(mine, input), judgeBackoff(mine, failures, input)];
  const until = waits.flatMap((wait) => (wait.untilMs === null ? [] : [wait.untilMs]));
  const reasons = [breaker, ...waits.map((wait) => wait.reason)].filter(
    (reason) => reason !== null,
  );
  return {
    allowed: breaker.met && until.length === 0,
    breakerOpen: !breaker.met,
    nextEligibleAtMs: breaker.met && until.length > 0 ? Math.max(...until) : null,
    reasons,
  };
}

/** A table that is not as it must be opens the breaker at once, whatever the policy counts. */
function judgeBroken(mine: readonly Receipt[], failures: number): Reason | null {
  const last = mine.find((one) => one.status === 'done' || one.status === 'noop' || isFailure(one));
  if (last?.error?.code !== 'InvariantBroken') return null;
  const because =
    `paused: the last run, at ${last.finishedAt}, broke an invariant (${last.error.message}); ` +
    'a run by hand that succeeds resumes it';
  return { metric: 'consecutive_failures', value: failures, threshold: 1, met: false, because };
}

function judgeBreaker(failures: number, policy: CadencePolicy): Reason {
  const open = failures >= policy.breakerFailures;
  return {
    metric: 'consecutive_failures',
    value: failures,
    threshold: policy.breakerFailures,
    met: !open,
    because: open
      ? `paused after ${failures} failures in a row; a run by hand that succeeds resumes it`
      : `${failures} failures in a row; ${policy.breakerFailures} would pause it`,
  };
}

interface Wait {
  readonly reason: Reason | null;
  readonly untilMs: number | null;
}

function judgeInterval(mine: readonly Receipt[], input: CadenceInput): Wait {
  const { minIntervalMs } = input.policy;
  const last = mine.find((receipt) => receipt.status === 'done' || receipt.status === 'noop');
  if (last === undefined || minIntervalMs === 0) return { reason: null, untilMs: null };
  return wait('minutes_since_last_run', last, minIntervalMs, input.nowMs, 'minimum interval');
}

function judgeBackoff(mine: readonly Receipt[], failures: number, input: CadenceInput): Wait {
  const last = mine.find(isFailure);
  if (last === undefined || failures === 0) return { reason: null, untilMs: null };
  const { failureBackoffMs, failureBackoffMaxMs } = input.policy;
  // 2^20 is far past any sensible maximum; more would only risk an infinite product.
  const factor = 2 ** Math.min(failures - 1, 20);
  const pause = Math.min(failureBackoffMs * factor, failureBackoffMaxMs);
  return wait('minutes_since_last_failure', last, pause, input.nowMs, 'back-off after failure');
}

function wait(metric: string, last: Receipt, pauseMs: number, nowMs: number, name: string): Wait {
  const sinceMs = nowMs - Date.parse(last.finishedAt);
  const over = sinceMs >= pauseMs;
  return {
    untilMs: over ? null : Date.parse(last.finishedAt) + pauseMs,
    reason: {
      metric,
      value: Math.floor(sinceMs / 60_000),
      threshold: Math.ceil(pauseMs / 60_000),
      met: over,
      because: `last at ${last.finishedAt}; ${name} ${formatDuration(pauseMs)}`,
    },
  };
}
