/**
 * When an operation may run again: pauses, the breaker, the minimum interval, back-off after
 * failures, refusals and runs in vain, the window; and until when it must have run.
 */
import type { OperationKind, Reason } from '../operation.ts';
import type { Receipt } from '../receipt.ts';
import { tableFromKey } from '../table.ts';
import { formatDuration } from '../units.ts';
import { type PauseEvent, pauseReason, pauseStateOf } from './pause.ts';
import type { CadencePolicy } from './policy.ts';
import { windowAt } from './window.ts';

export interface CadenceInput {
  readonly kind: OperationKind;
  readonly policy: CadencePolicy;
  /** Of the table, newest first; those of other operations are passed over. */
  readonly recentReceipts: readonly Receipt[];
  readonly nowMs: number;
  /** Key of the table: for pauses and for the spread. Absent: neither counts. */
  readonly table?: string;
  /** The log of pauses, oldest first; absent: none. */
  readonly pauses?: readonly PauseEvent[];
  /** From when the age of an operation that never ran is counted; absent: it has no age. */
  readonly bornAtMs?: number | null;
}

export interface Cadence {
  readonly allowed: boolean;
  readonly breakerOpen: boolean;
  /** It has not run for longer than `mustRunWithinMs`: when due it goes before all others. */
  readonly overdue: boolean;
  /** From when it may run; `null`: now, or when a person resumes it. */
  readonly nextEligibleAtMs: number | null;
  readonly reasons: readonly Reason[];
}

/**
 * Failures in a row since the last success. A cancelled run counts neither way.
 * @param sinceMs when an operator resumed it: what ended before does not count
 */
export function consecutiveFailures(
  kind: OperationKind,
  receipts: readonly Receipt[],
  sinceMs: number | null = null,
): number {
  let failures = 0;
  for (const receipt of receipts) {
    if (receipt.operation !== kind) continue;
    if (sinceMs !== null && Date.parse(receipt.finishedAt) <= sinceMs) return failures;
    if (succeeded(receipt)) return failures;
    if (isFailure(receipt)) failures += 1;
  }
  return failures;
}

/** Runs in a row that found nothing to do. */
export function consecutiveNoops(kind: OperationKind, receipts: readonly Receipt[]): number {
  let noops = 0;
  for (const { operation, status } of receipts) {
    if (operation !== kind || status === 'refused') continue;
    if (status !== 'noop') return noops;
    noops += 1;
  }
  return noops;
}

function isFailure(receipt: Receipt): boolean {
  return receipt.status === 'failed' && receipt.error?.code !== 'Cancelled';
}

function succeeded({ status }: Receipt): boolean {
  return status === 'done' || status === 'noop';
}

/** Every rule is looked at, also when an earlier one already says no: "why not" needs them all. */
export function judgeCadence(input: CadenceInput): Cadence {
  const { kind, policy, nowMs } = input;
  const mine = input.recentReceipts.filter((receipt) => receipt.operation === kind);
  const { pause, resumedAtMs } = pausedNow(input);
  const failures = consecutiveFailures(kind, mine, resumedAtMs);
  const breaker = judgeBroken(mine, failures) ?? judgeBreaker(failures, policy);
  const due = judgeDeadline(mine, input);
  const waits = [
    ...(pause === null ? [] : [{ reason: pauseReason(pause), untilMs: timeOf(pause.until) }]),
    judgeInterval(mine, input),
    judgeBackoff(mine, failures, input),
    judgeRefusals(mine, resumedAtMs, input),
    ...(due.overdue ? [] : [judgeNoops(mine, input)]),
    judgeWindow(input),
  ];
  const reasons = [breaker, ...waits.map((wait) => wait.reason), due.reason];
  const waiting = waits.filter((wait) => wait.untilMs !== undefined);
  // Waits for a person, or for a window that never opens: no time can be told.
  const forPerson = !breaker.met || waiting.some((wait) => wait.untilMs === null);
  const untilMs = Math.max(nowMs, ...waiting.map((wait) => wait.untilMs ?? nowMs));
  return {
    allowed: breaker.met && waiting.length === 0,
    breakerOpen: !breaker.met,
    overdue: due.overdue,
    nextEligibleAtMs: forPerson || waiting.length === 0 ? null : insideWindow(policy, untilMs),
    reasons: reasons.filter((reason) => reason !== null),
  };
}

function pausedNow({ table, pauses, kind, nowMs }: CadenceInput) {
  if (table === undefined || pauses === undefined) return { pause: null, resumedAtMs: null };
  return pauseStateOf(pauses, { table: tableFromKey(table), kind }, nowMs);
}

function timeOf(until: string | null): number | null {
  return until === null ? null : Date.parse(until);
}

/** The wait may end while the window is closed. */
function insideWindow({ window }: CadencePolicy, atMs: number): number | null {
  const state = windowAt(window, atMs);
  return state.kind === 'open' ? atMs : state.nextMs;
}

/** A table that is not as it must be opens the breaker at once, whatever the policy counts. */
function judgeBroken(mine: readonly Receipt[], failures: number): Reason | null {
  // What an operator has resumed no longer counts.
  if (failures === 0) return null;
  const last = mine.find((one) => one.status === 'done' || one.status === 'noop' || isFailure(one));
  if (last?.error?.code !== 'InvariantBroken') return null;
  const because =
    `paused: the last run, at ${last.finishedAt}, broke an invariant (${last.error.message}); ` +
    'a run by hand that succeeds, or "icewright resume", resumes it';
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
      ? `paused after ${failures} failures in a row; "icewright resume" or a run by hand that ` +
        'succeeds resumes it'
      : `${failures} failures in a row; ${policy.breakerFailures} would pause it`,
  };
}

interface Wait {
  readonly reason: Reason | null;
  /** `undefined`: it does not wait; `null`: nobody knows for how long. */
  readonly untilMs: number | null | undefined;
}

const NO_WAIT: Wait = { reason: null, untilMs: undefined };

function judgeInterval(mine: readonly Receipt[], input: CadenceInput): Wait {
  const { minIntervalMs } = input.policy;
  const last = mine.find(succeeded);
  const pauseMs = minIntervalMs + spreadOf(input);
  if (last === undefined || pauseMs === 0) return NO_WAIT;
  return wait('minutes_since_last_run', last, pauseMs, input.nowMs, 'minimum interval');
}

/** The same for one operation of one table always, and evenly between 0 and `spreadMs`. */
function spreadOf({ policy, table = '', kind }: CadenceInput): number {
  if (policy.spreadMs === 0) return 0;
  // FNV-1a: names that differ in one letter lie far apart.
  let hash = 0x811c9dc5;
  for (const letter of `${table} ${kind}`) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return Math.floor((hash / 2 ** 32) * policy.spreadMs);
}

function judgeBackoff(mine: readonly Receipt[], failures: number, input: CadenceInput): Wait {
  const last = mine.find(isFailure);
  if (last === undefined || failures === 0) return NO_WAIT;
  const pause = doubled(failures, input.policy);
  return wait('minutes_since_last_failure', last, pause, input.nowMs, 'back-off after failure');
}

/** What was refused would mostly be refused again; nothing was harmed, so no breaker opens. */
function judgeRefusals(
  mine: readonly Receipt[],
  resumedAtMs: number | null,
  input: CadenceInput,
): Wait {
  // A table that has moved is planned anew; a cancelled run counts neither way.
  const told = mine.filter(
    ({ error }) => error?.code !== 'TableChanged' && error?.code !== 'Cancelled',
  );
  const end = told.findIndex(
    ({ status, finishedAt }) =>
      status !== 'refused' || (resumedAtMs !== null && Date.parse(finishedAt) <= resumedAtMs),
  );
  const refusals = end === -1 ? told.length : end;
  const [last] = told;
  if (last === undefined || refusals === 0) return NO_WAIT;
  const name = `back-off after ${refusals} refusals in a row`;
  const pause = doubled(refusals, input.policy);
  return wait('minutes_since_last_refusal', last, pause, input.nowMs, name);
}

function doubled(times: number, { failureBackoffMs, failureBackoffMaxMs }: CadencePolicy): number {
  // 2^20 is far past any sensible maximum; more would only risk an infinite product.
  return Math.min(failureBackoffMs * 2 ** Math.min(times - 1, 20), failureBackoffMaxMs);
}

/** The pause grows by half: looking in vain is cheap, but a thousand tables do it. */
function judgeNoops(mine: readonly Receipt[], input: CadenceInput): Wait {
  const { noopBackoffAfter, noopBackoffMs, noopBackoffMaxMs, minIntervalMs } = input.policy;
  const noops = mine.length === 0 ? 0 : consecutiveNoops(input.kind, mine);
  const last = mine.find(succeeded);
  if (last === undefined || noops < noopBackoffAfter) return NO_WAIT;
  // 1.5^60 of a second is longer than a century.
  const factor = 1.5 ** Math.min(noops - noopBackoffAfter + 1, 60);
  const grown = Math.min(Math.max(noopBackoffMs, minIntervalMs) * factor, noopBackoffMaxMs);
  return wait(
    'minutes_since_last_noop',
    last,
    grown,
    input.nowMs,
    `back-off after ${noops} runs in a row that found nothing to do`,
  );
}

function judgeWindow({ policy, nowMs }: CadenceInput): Wait {
  if (policy.window === null) return NO_WAIT;
  const state = windowAt(policy.window, nowMs);
  const open = state.kind === 'open';
  const when = open
    ? `open since ${isoOf(state.sinceMs)}`
    : `${state.because}${state.nextMs === null ? ', which never comes' : ''}`;
  return {
    untilMs: open ? undefined : state.nextMs,
    reason: { metric: 'window_open', value: open, threshold: true, met: open, because: when },
  };
}

interface Deadline {
  readonly overdue: boolean;
  readonly reason: Reason | null;
}

function judgeDeadline(mine: readonly Receipt[], input: CadenceInput): Deadline {
  const { mustRunWithinMs } = input.policy;
  if (mustRunWithinMs === null) return { overdue: false, reason: null };
  const last = mine.find(succeeded);
  const sinceMs = last === undefined ? (input.bornAtMs ?? null) : Date.parse(last.finishedAt);
  const ageMs = sinceMs === null ? null : input.nowMs - sinceMs;
  const overdue = ageMs !== null && ageMs >= mustRunWithinMs;
  const limit = `it must run within ${formatDuration(mustRunWithinMs)}`;
  const since = last === undefined ? 'it never ran' : `last at ${last.finishedAt}`;
  return {
    overdue,
    reason: {
      metric: 'hours_since_last_run',
      value: ageMs === null ? null : Math.floor(ageMs / 3_600_000),
      threshold: Math.ceil(mustRunWithinMs / 3_600_000),
      // Never what holds an operation back.
      met: true,
      because: `${since}; ${limit}${overdue ? ': overdue, it goes before all others' : ''}`,
    },
  };
}

function wait(metric: string, last: Receipt, pauseMs: number, nowMs: number, name: string): Wait {
  const sinceMs = nowMs - Date.parse(last.finishedAt);
  const over = sinceMs >= pauseMs;
  return {
    untilMs: over ? undefined : Date.parse(last.finishedAt) + pauseMs,
    reason: {
      metric,
      value: Math.floor(sinceMs / 60_000),
      threshold: Math.ceil(pauseMs / 60_000),
      met: over,
      because: `last at ${last.finishedAt}; ${name} ${formatDuration(pauseMs)}`,
    },
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
