/** The state of a catalog's maintenance sweeps, guarded: messages arrive at any await. */
import { isCancellation, log, uuid4 } from '@temporalio/workflow';
import type { SweepTurn } from '../activities/sweep/types.ts';
import { afterDue, type Due, nextDueMs, takeDue, withInterval } from '../domain/health/clock.ts';
import { runIdAt } from '../domain/ids.ts';
import type { JobError } from '../domain/job.ts';
import { MaintenanceRun } from './maintenance-run.ts';
import { errorOf } from './outcome.ts';
import { sweepSteps } from './proxies.ts';
import type {
  MaintenanceInput,
  MaintenanceState,
  MaintenanceStatus,
  PolicyState,
} from './sweep-messages.ts';
import type { TableRequests } from './table-requests.ts';

/** When the policies cannot be read: they are faulty, or the worker's disk is away. */
const READ_AGAIN_MS = 5 * 60_000;

/** Edited files are seen by then, also where everything waits for a person. */
const LOOK_AGAIN_MS = 10 * 60_000;

/** Among what was asked for: every policy that there is. No policy's name has a star. */
const ALL = '*';

export class MaintenanceSweeper {
  state: MaintenanceState;
  /** A worker has started since the policies were read. */
  stale = true;
  private readonly catalog: string;
  private readonly requests: TableRequests;
  private run: MaintenanceRun | null = null;
  private unreadable: { readonly untilMs: number; readonly error: JobError } | null = null;

  constructor({ catalog, state }: MaintenanceInput, requests: TableRequests) {
    this.catalog = catalog;
    this.requests = requests;
    this.state = state ?? { sweeps: 0, policies: {}, asked: [] };
  }

  status(): MaintenanceStatus {
    const { sweeps, policies, asked } = this.state;
    return {
      catalog: this.catalog,
      now: this.run?.progress() ?? null,
      sweeps,
      asked,
      unreadable: this.unreadable?.error ?? null,
      policies: Object.entries(policies).map(([policy, one]) => {
        const nextMs = wakeOf(one);
        const nextAt = nextMs === null ? null : new Date(nextMs).toISOString();
        const { because, last, clock } = one;
        return { policy, everyMs: clock.intervalMs, nextAt, because, last };
      }),
    };
  }

  /** Asks for a sweep; equal wishes join. Answers the number of the first that may be it. */
  ask(policy: string | null): number {
    const names = [policy ?? ALL];
    // They are read again for this wish.
    this.unreadable = null;
    this.state = { ...this.state, asked: [...new Set([...this.state.asked, ...names])] };
    return this.state.sweeps + 1;
  }

  /** When something is to be done next, or the policies are to be read again. */
  nextWakeMs(): number {
    if (this.stale || this.state.asked.length > 0) return 0;
    if (this.unreadable !== null) return this.unreadable.untilMs;
    const times = Object.values(this.state.policies).map(wakeOf);
    const known = times.filter((one) => one !== null);
    return Math.min(Date.now() + LOOK_AGAIN_MS, ...known);
  }

  /** `false`: there is no sweep policy any more. */
  async sweepIfDue(): Promise<boolean> {
    this.stale = false;
    let turns = await this.readTurns();
    let swept = false;
    for (const { policy } of turns ?? []) {
      // A sweep may take hours: windows have opened and closed, and files were edited.
      if (swept) turns = await this.readTurns();
      const turn = turns?.find((one) => one.policy === policy);
      swept = turn !== undefined && (await this.takeTurn(turn));
    }
    return turns === null || turns.length > 0;
  }

  /** `null`: they cannot be read, and what was asked for is dropped. */
  private async readTurns(): Promise<readonly SweepTurn[] | null> {
    const lastTurns = Object.fromEntries(
      Object.entries(this.state.policies).flatMap(([name, { last }]) =>
        last === null ? [] : [[name, Date.parse(last.startedAt)] as const],
      ),
    );
    try {
      const turns = await sweepSteps.readSweeps({ catalog: this.catalog, lastTurns });
      this.unreadable = null;
      this.keep(turns);
      return turns;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('the sweep policies cannot be read', { catalog: this.catalog });
      const { code, message } = errorOf(error);
      this.unreadable = { untilMs: Date.now() + READ_AGAIN_MS, error: { code, message } };
      this.state = { ...this.state, asked: [] };
      return null;
    }
  }

  /** What is known of policies that are still there goes on; of others it goes. */
  private keep(turns: readonly SweepTurn[]): void {
    const nowMs = Date.now();
    const policies = turns.map((turn): readonly [string, PolicyState] => {
      const { everyMs, paused, open, nextOpenMs, because } = turn;
      const known = this.state.policies[turn.policy];
      const fresh = { intervalMs: everyMs, lastDueMs: null, missed: 0 };
      const clock = known === undefined ? fresh : withInterval(known.clock, everyMs, nowMs);
      const waits = { because, nextOpenMs: open === null ? nextOpenMs : null };
      const never = paused || (open === null && nextOpenMs === null);
      return [
        turn.policy,
        {
          clock,
          ...waits,
          never,
          again: known?.again ?? false,
          last: known?.last ?? null,
        },
      ];
    });
    const names = turns.map((one) => one.policy);
    const all = this.state.asked.includes(ALL);
    const asked = names.filter((name) => all || this.state.asked.includes(name));
    this.state = { ...this.state, policies: Object.fromEntries(policies), asked };
  }

  /** Whether it swept. */
  private async takeTurn(turn: SweepTurn): Promise<boolean> {
    const known = this.state.policies[turn.policy];
    if (known === undefined) return false;
    const nowMs = Date.now();
    const asked = this.state.asked.includes(turn.policy);
    const mayBegin = turn.open !== null && !turn.paused;
    const due = mayBegin ? takeDue(known.clock, nowMs) : null;
    if (due === null && !asked && !(mayBegin && known.again)) return false;
    const sweep = this.state.sweeps + 1;
    this.state = {
      ...this.state,
      sweeps: sweep,
      asked: this.state.asked.filter((name) => name !== turn.policy),
    };
    this.change(turn.policy, {
      again: false,
      clock: due === null ? known.clock : afterDue(known.clock, due),
    });
    const { catalog, requests } = this;
    const sweepId = runIdAt(nowMs, uuid4());
    this.run = new MaintenanceRun({ catalog, turn, asked, sweepId, sweep }, requests);
    try {
      const { more, ...report } = await this.run.sweep(dueOf(due, turn));
      this.change(turn.policy, { last: report, again: more && mayBegin });
      return true;
    } finally {
      this.run = null;
    }
  }

  private change(policy: string, change: Partial<PolicyState>): void {
    const known = this.state.policies[policy] as PolicyState;
    const policies = { ...this.state.policies, [policy]: { ...known, ...change } };
    this.state = { ...this.state, policies };
  }
}

/** Due times outside the window were never to be kept. */
function dueOf(due: Due | null, { open, everyMs }: SweepTurn) {
  if (due === null) return { dueAt: null, missed: 0 };
  const within = Math.floor((due.dueMs - (open?.sinceMs ?? due.dueMs)) / everyMs);
  const missed = Math.max(0, Math.min(due.missed, within));
  return { dueAt: new Date(due.dueMs).toISOString(), missed };
}

/** `null`: it waits for a person. */
function wakeOf({ clock, again, never, nextOpenMs }: PolicyState): number | null {
  if (never) return null;
  const dueMs = again ? 0 : nextDueMs(clock, Date.now());
  return Math.max(dueMs, nextOpenMs ?? 0);
}
