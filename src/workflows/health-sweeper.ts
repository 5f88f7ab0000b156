/** The state of a catalog's sweeps, guarded: messages arrive at any await; and one sweep. */
import { isCancellation, log } from '@temporalio/workflow';
import type { ClosedSweep, CloseSweepInput, HealthPage } from '../activities/types.ts';
import {
  afterDue,
  FULL_AGAIN_MS,
  FULL_EVERY_MS,
  nextDueMs,
  takeDue,
  withInterval,
} from '../domain/health/clock.ts';
import type { HealthInput, HealthState, HealthStatus, SweepReport } from './messages.ts';
import { errorOf } from './outcome.ts';
import { healthSteps } from './proxies.ts';

/** Tables of one activity: its answer and its retry stay small. */
const BATCH_TABLES = 200;
/** Names and errors in a report, which lives in history. */
const NAMED_MAX = 10;
const ERROR_LENGTH_MAX = 300;

/** What a sweep has gathered so far. */
interface Tally {
  listed: number;
  measured: number;
  unchanged: number;
  readonly failed: string[];
  readonly errors: string[];
}

export class HealthSweeper {
  state: HealthState;
  private readonly catalog: string;
  private sweeping = false;

  constructor({ catalog, intervalMs, state }: HealthInput) {
    this.catalog = catalog;
    this.state = state ?? {
      clock: { intervalMs, lastDueMs: null, missed: 0 },
      configuredMs: intervalMs,
      sweeps: 0,
      asked: false,
      lastFullMs: null,
      last: null,
    };
  }

  status(): HealthStatus {
    const { clock, sweeps, last } = this.state;
    const nextDueAt = new Date(nextDueMs(clock, Date.now())).toISOString();
    const { intervalMs, missed } = clock;
    const { catalog, sweeping } = this;
    return { catalog, intervalMs, nextDueAt, sweeping, sweeps, missed, last };
  }

  changeInterval(intervalMs: number): void {
    this.state = { ...this.state, clock: withInterval(this.state.clock, intervalMs, Date.now()) };
  }

  /** What a person set stays until the configuration itself changes. */
  configure(intervalMs: number): void {
    if (intervalMs === this.state.configuredMs) return;
    this.state = { ...this.state, configuredMs: intervalMs };
    this.changeInterval(intervalMs);
  }

  /** Asks for one more sweep; equal wishes join. Answers its number. */
  ask(): number {
    this.state = { ...this.state, asked: true };
    return this.state.sweeps + 1;
  }

  async sweepIfDue(): Promise<void> {
    const startedMs = Date.now();
    const { clock, asked, sweeps, lastFullMs, fullTriedMs } = this.state;
    const due = takeDue(clock, startedMs);
    if (due === null && !asked) return;
    const full =
      (lastFullMs === null || startedMs - lastFullMs >= FULL_EVERY_MS) &&
      (asked || fullTriedMs === undefined || startedMs - fullTriedMs >= FULL_AGAIN_MS);
    this.state = {
      ...this.state,
      clock: due === null ? clock : afterDue(clock, due),
      asked: false,
      sweeps: sweeps + 1,
      ...(full ? { fullTriedMs: startedMs } : {}),
    };
    this.sweeping = true;
    const which = {
      sweep: sweeps + 1,
      dueAt: due === null ? null : new Date(due.dueMs).toISOString(),
      missed: due?.missed ?? 0,
    };
    const { allRead, ...told } = await this.sweep(which, full);
    this.sweeping = false;
    const startedAt = new Date(startedMs).toISOString();
    const finishedAt = new Date().toISOString();
    const last: SweepReport = { ...which, ...told, startedAt, finishedAt, full };
    // A full sweep that could not be done is tried again, but a lasting fault must not make every
    // sweep a full one.
    const fullDone = full && allRead;
    this.state = { ...this.state, last, lastFullMs: fullDone ? startedMs : lastFullMs };
  }

  private async sweep(which: Pick<CloseSweepInput, 'sweep' | 'dueAt' | 'missed'>, full: boolean) {
    const startedAtMs = Date.now();
    const { intervalMs } = this.state.clock;
    const tally: Tally = { listed: 0, measured: 0, unchanged: 0, failed: [], errors: [] };
    await this.step(tally, 'listing', () => this.sweepPages(tally, full));
    const allRead = tally.errors.length === 0;
    const { catalog } = this;
    const closed = await this.step(tally, 'closing', () =>
      healthSteps.closeSweep({ catalog, ...which, startedAtMs, intervalMs }),
    );
    if (full) await this.step(tally, 'roll-up', () => healthSteps.rollUpHealth({ catalog }));
    return { allRead, ...reportOf(tally, closed) };
  }

  private async sweepPages(tally: Tally, full: boolean): Promise<void> {
    const { catalog } = this;
    let after: string | null = null;
    for (let more = true; more; ) {
      const page: HealthPage = await healthSteps.listHealthTables({ catalog, after });
      tally.listed += page.tables.length;
      for (let at = 0; at < page.tables.length; at += BATCH_TABLES) {
        const tables = page.tables.slice(at, at + BATCH_TABLES);
        const name = `${tables.length} tables from ${tables[0]}`;
        await this.step(tally, name, async () => {
          const swept = await healthSteps.sweepTables({ catalog, tables, full });
          tally.measured += swept.measured;
          tally.unchanged += swept.unchanged;
          tally.failed.push(...swept.failed);
        });
      }
      after = page.tables.at(-1) ?? null;
      more = page.more && after !== null;
    }
  }

  /** A part that fails is told, and the others go on. */
  private async step<T>(tally: Tally, name: string, act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { code, message } = errorOf(error);
      log.warn('a part of a health sweep failed', { catalog: this.catalog, part: name, code });
      tally.errors.push(`${name}: ${message}`.slice(0, ERROR_LENGTH_MAX));
      return null;
    }
  }
}

function reportOf(tally: Tally, closed: ClosedSweep | null) {
  const { listed, measured, unchanged, failed, errors } = tally;
  return {
    listed,
    measured,
    unchanged,
    failed: failed.length,
    failing: failed.slice(0, NAMED_MAX),
    findings: closed?.findings ?? 0,
    worst: closed?.worst ?? [],
    errors: errors.slice(0, NAMED_MAX),
  };
}
