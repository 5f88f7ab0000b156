/** One maintenance sweep: looks at all tables, chooses, and has the chosen ones maintained. */
import { isCancellation, log } from '@temporalio/workflow';
import type { SelectedSweep, SweepPage, SweepTurn } from '../activities/sweep/types.ts';
import { partRunId } from '../domain/ids.ts';
import type { JobOutcome } from '../domain/job.ts';
import type { SelectedTable } from '../domain/planner/selected-tables.ts';
import { errorOf } from './outcome.ts';
import { sweepSteps } from './proxies.ts';
import type { MaintenanceStatus, MaintenanceSweepReport, SweepCost } from './sweep-messages.ts';
import type { TableRequests } from './table-requests.ts';

/** Tables of one activity: its answer and its retry stay small. */
const BATCH_TABLES = 200;
/** Names and errors in a report, which lives in history. */
const NAMED_MAX = 10;
const ERROR_LENGTH_MAX = 300;
const DAY_MS = 86_400_000;

export interface MaintenanceTurn {
  readonly catalog: string;
  readonly turn: SweepTurn;
  /** By a person: window and pause are passed over. */
  readonly asked: boolean;
  readonly sweepId: string;
  readonly sweep: number;
}

type Phase = 'looking' | 'choosing' | 'running';

export class MaintenanceRun {
  private readonly given: MaintenanceTurn;
  private readonly requests: TableRequests;
  private readonly startedMs = Date.now();
  private phase: Phase = 'looking';
  private readonly counts = { listed: 0, quiet: 0, planned: 0, due: 0, done: 0, failed: 0 };
  private ended = 0;
  /** Tables that have got all that was due. */
  private readonly settled: string[] = [];
  /** A table is no longer as it was. */
  private advanced = false;
  private selected: readonly SelectedTable[] = [];
  private readonly left: Record<string, number> = {};
  private readonly failing: string[] = [];
  private readonly errors: string[] = [];
  private spent: SweepCost = { bytes: 0, engineSeconds: 0, tables: 0 };
  /** Estimates of what is under way. */
  private readonly underWay = new Map<string, SelectedTable>();

  constructor(given: MaintenanceTurn, requests: TableRequests) {
    this.given = given;
    this.requests = requests;
  }

  progress(): NonNullable<MaintenanceStatus['now']> {
    const { phase, ended } = this;
    return { policy: this.given.turn.policy, phase, selected: this.selected.length, ended };
  }

  /** Never throws but for a cancellation: what could not be done is told. */
  async sweep(
    due: Pick<MaintenanceSweepReport, 'dueAt' | 'missed'>,
  ): Promise<MaintenanceSweepReport & { readonly more: boolean }> {
    await this.step('listing', () => this.lookAtAll());
    this.phase = 'choosing';
    const chosen = this.counts.due === 0 ? null : await this.step('choosing', () => this.choose());
    if (chosen !== null) {
      this.phase = 'running';
      await this.maintainAll(chosen);
      const { sweepId } = this.given;
      const { settled } = this;
      await this.step('clearing up', () => sweepSteps.endSweep({ sweepId, done: settled }));
    }
    // Where nothing was changed, the same would be chosen again, for ever.
    return { ...due, ...this.report(chosen), more: this.advanced && chosen?.more === true };
  }

  private report(chosen: SelectedSweep | null): Omit<MaintenanceSweepReport, 'dueAt' | 'missed'> {
    const { sweep, sweepId, turn } = this.given;
    const { concurrency: _atOnce, ...budget } = chosen?.budget ?? { ...NO_LIMIT, concurrency: 0 };
    return {
      sweep,
      sweepId,
      policy: turn.policy,
      startedAt: new Date(this.startedMs).toISOString(),
      finishedAt: new Date().toISOString(),
      ...this.counts,
      selected: this.selected.length,
      left: this.left,
      failing: this.failing.slice(0, NAMED_MAX),
      spent: this.spent,
      spentBefore: chosen?.spent ?? { bytes: 0, engineSeconds: 0, tables: 0 },
      budget,
      errors: this.errors.slice(0, NAMED_MAX),
    };
  }

  private async lookAtAll(): Promise<void> {
    const { catalog, turn } = this.given;
    const { policy } = turn;
    let after: string | null = null;
    for (let more = true; more; ) {
      const page: SweepPage = await sweepSteps.listSweepTables({ catalog, policy, after });
      this.counts.listed += page.tables.length;
      for (let at = 0; at < page.tables.length; at += BATCH_TABLES) {
        const tables = page.tables.slice(at, at + BATCH_TABLES);
        await this.step(`${tables.length} tables from ${tables[0]}`, () => this.lookAt(tables));
      }
      after = page.tables.at(-1) ?? null;
      more = page.more && after !== null;
    }
  }

  private async lookAt(tables: readonly string[]): Promise<void> {
    const { catalog, turn, sweepId } = this.given;
    const found = await sweepSteps.planSweep({ catalog, policy: turn.policy, sweepId, tables });
    this.counts.quiet += found.quiet;
    this.counts.planned += found.planned;
    this.counts.due += found.due;
    this.counts.failed += found.failed.length;
    this.failing.push(...found.failed);
  }

  private async choose(): Promise<SelectedSweep> {
    const { catalog, turn, sweepId } = this.given;
    const { policy, open, nextOpenMs } = turn;
    // Asked for while the window is closed: it counts for the day (UTC).
    const sinceMs = open?.sinceMs ?? Math.floor(this.startedMs / DAY_MS) * DAY_MS;
    const nextMs = open === null ? nextOpenMs : (open.untilMs ?? open.sinceMs + DAY_MS);
    const chosen = await sweepSteps.selectSweep({ catalog, policy, sweepId, sinceMs, nextMs });
    this.selected = chosen.tables;
    Object.assign(this.left, chosen.left);
    return chosen;
  }

  private async maintainAll(chosen: SelectedSweep): Promise<void> {
    const { requests } = this;
    requests.concurrency = chosen.budget.concurrency;
    const jobs: Promise<void>[] = [];
    try {
      for (const one of chosen.tables) {
        await requests.room();
        const against = this.reasonAgainst(one, chosen);
        if (against === null) jobs.push(this.maintain(one));
        else this.left[against] = (this.left[against] ?? 0) + 1;
      }
    } finally {
      await Promise.allSettled(jobs);
    }
    await Promise.all(jobs);
    requests.forget();
  }

  /** Rewrites may cost more than was estimated, and the window may close meanwhile. */
  private reasonAgainst(one: SelectedTable, { remaining }: SelectedSweep): string | null {
    const { asked, turn } = this.given;
    const untilMs = turn.open?.untilMs ?? null;
    if (!asked && untilMs !== null && Date.now() >= untilMs) return 'window';
    if (one.beyond === true) return null;
    for (const name of ['bytes', 'engineSeconds'] as const) {
      const limit = remaining[name];
      const expected = [...this.underWay.values(), one].reduce((sum, job) => sum + job[name], 0);
      if (limit === null || one[name] === 0 || this.spent[name] + expected <= limit) continue;
      return name === 'bytes' ? 'budget_bytes' : 'budget_engine_seconds';
    }
    return null;
  }

  private async maintain(one: SelectedTable): Promise<void> {
    const { table } = one;
    const { sweepId, turn } = this.given;
    this.underWay.set(table, one);
    const outcome = await this.requests.ask(table, {
      runId: partRunId(sweepId, `maintenance.${table}`),
      kind: 'maintenance',
      dedupeKey: `plan/${sweepId}`,
      title: `maintenance by sweep ${turn.policy}`,
      requestedBy: `sweep:${turn.policy}`,
      parentRunId: sweepId,
      work: { kind: 'apply_plan', planId: sweepId },
    });
    this.underWay.delete(table);
    this.note(one, outcome);
  }

  private note({ table, partly }: SelectedTable, { state, error, receipts }: JobOutcome): void {
    this.ended += 1;
    let { bytes, engineSeconds } = this.spent;
    const ran = receipts.filter((one) => one.status !== 'refused');
    for (const { bytesRewritten, startedAt, finishedAt } of ran) {
      bytes += bytesRewritten;
      engineSeconds += Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
    }
    const tables = this.spent.tables + (ran.length > 0 ? 1 : 0);
    this.spent = { bytes, engineSeconds, tables };
    if (receipts.some((one) => one.status === 'done')) this.advanced = true;
    if (state === 'done') {
      this.counts.done += 1;
      if (partly !== true) this.settled.push(table);
    } else if (error?.code === 'TableChanged') {
      // Somebody wrote since: the next sweep plans it again.
      this.left.table_changed = (this.left.table_changed ?? 0) + 1;
    } else {
      this.counts.failed += 1;
      this.failing.push(table);
    }
  }

  /** A part that fails is told, and the others go on. */
  private async step<T>(name: string, act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { code, message } = errorOf(error);
      log.warn('a part of a maintenance sweep failed', { part: name, code });
      this.errors.push(`${name}: ${message}`.slice(0, ERROR_LENGTH_MAX));
      return null;
    }
  }
}

const NO_LIMIT = { bytes: null, engineSeconds: null, tables: null };
