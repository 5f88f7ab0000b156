/**
 * Pauses that an operator sets and lifts. They are kept as a log of who said what when and why;
 * what holds for one operation of one table is read off it. A resume also closes an open breaker.
 */
import type { OperationKind, Reason, TablePlan } from '../operation.ts';
import { type TableRef, tableFromKey } from '../table.ts';
import { parseSelector, selects } from './match.ts';

/** One line of the log. */
export interface PauseEvent {
  readonly kind: 'pause' | 'resume';
  /** An exact name, a glob or a regular expression between slashes, as in policies. */
  readonly pattern: string;
  /** `null`: every operation. */
  readonly operation: OperationKind | null;
  /** ISO; only of a pause. `null`: until it is resumed. */
  readonly until: string | null;
  readonly reason: string;
  /** `cli:<user>` */
  readonly by: string;
  /** ISO */
  readonly at: string;
}

export interface PauseState {
  /** The pause in force; of several the one that ends last. */
  readonly pause: PauseEvent | null;
  /** When an operator last resumed it: failures before that no longer count. */
  readonly resumedAtMs: number | null;
}

/**
 * What holds for one operation of a table. A resume lifts every earlier pause for the tables and
 * operations that it names, and no other: `bronze.*` may be paused and one table of it resumed.
 * @param events oldest first
 */
export function pauseStateOf(
  events: readonly PauseEvent[],
  subject: { readonly table: TableRef; readonly kind: OperationKind },
  nowMs: number,
): PauseState {
  let pauses: PauseEvent[] = [];
  let resumedAtMs: number | null = null;
  for (const event of events) {
    if (!concerns(event, subject)) continue;
    if (event.kind === 'pause') pauses.push(event);
    else {
      pauses = [];
      resumedAtMs = Date.parse(event.at);
    }
  }
  const inForce = pauses.filter((one) => endMs(one) > nowMs);
  const [longest = null] = inForce.sort((a, b) => (endMs(b) > endMs(a) ? 1 : -1));
  return { pause: longest, resumedAtMs };
}

function endMs({ until }: PauseEvent): number {
  return until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
}

/** Whether a line of the log is about an operation of a table. A pattern nobody can read is not. */
export function concerns(
  event: Pick<PauseEvent, 'pattern' | 'operation'>,
  { table, kind }: { readonly table: TableRef; readonly kind: OperationKind },
): boolean {
  if (event.operation !== null && event.operation !== kind) return false;
  const selector = parseSelector(event.pattern);
  return typeof selector !== 'string' && selects(selector, table);
}

/** `paused by cli:ana at 2026-11-21T02:00:00.000Z until …: the table moves` */
export function describePause(event: PauseEvent): string {
  const until = event.until === null ? 'until it is resumed' : `until ${event.until}`;
  return `paused by ${event.by} at ${event.at} ${until}: ${event.reason}`;
}

/** For the decision that waits for it. */
export function pauseReason(event: PauseEvent): Reason {
  const because = `${describePause(event)}; "icewright resume" lifts it`;
  return { metric: 'paused', value: true, threshold: false, met: false, because };
}

/** A plan by hand passes over pauses and open breakers, and says so in each of its decisions. */
export function sayWhatIsPassedOver(
  plan: TablePlan,
  state: {
    readonly pauses: readonly PauseEvent[];
    readonly breakerOpen: (kind: OperationKind) => boolean;
    readonly nowMs: number;
  },
): TablePlan {
  const table = tableFromKey(plan.table);
  const decisions = plan.decisions.map((decision) => {
    const { kind, reasons } = decision;
    const { pause } = pauseStateOf(state.pauses, { table, kind }, state.nowMs);
    const notes: Reason[] = [];
    if (pause !== null) notes.push(note('paused', `${describePause(pause)}; passed over by hand`));
    if (state.breakerOpen(kind)) {
      notes.push(note('breaker_open', 'its breaker is open; passed over by hand'));
    }
    return notes.length === 0 ? decision : { ...decision, reasons: [...notes, ...reasons] };
  });
  return { ...plan, decisions };
}

/** Nothing that stands against it: a person has decided. */
function note(metric: string, because: string): Reason {
  return { metric, value: true, threshold: null, met: true, because };
}

export interface StandingPause {
  readonly pause: PauseEvent;
  /** Later resumes that lift it for some of what it names. */
  readonly liftedFor: readonly PauseEvent[];
}

/** Pauses that have neither ended nor been resumed as a whole, oldest first. */
export function standingPauses(
  events: readonly PauseEvent[],
  nowMs: number,
): readonly StandingPause[] {
  return events.flatMap((pause, at) => {
    if (pause.kind !== 'pause' || endMs(pause) <= nowMs) return [];
    const later = events.slice(at + 1).filter(({ kind }) => kind === 'resume');
    const whole = later.some(
      ({ pattern, operation }) =>
        (pattern === pause.pattern || pattern === '*') &&
        (operation === null || operation === pause.operation),
    );
    return whole ? [] : [{ pause, liftedFor: later.filter((one) => mayLift(one, pause)) }];
  });
}

/** Of two patterns nobody can say whether they meet: only a resumed name is looked at closely. */
function mayLift(resume: PauseEvent, pause: PauseEvent): boolean {
  const apart = resume.operation !== null && pause.operation !== null;
  if (apart && resume.operation !== pause.operation) return false;
  const [name, paused] = [parseSelector(resume.pattern), parseSelector(pause.pattern)];
  if (typeof name === 'string' || typeof paused === 'string' || name.kind !== 'exact') return true;
  return selects(paused, tableFromKey(name.text));
}
