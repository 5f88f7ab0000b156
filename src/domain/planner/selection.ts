/** Chooses across tables what is done within a budget, and says of the rest why not. */
import type { Decision, PartGain, Reason, TablePlan } from '../operation.ts';
import { PARTITIONS_MAX } from '../partition-bound.ts';
import { formatBytes } from '../units.ts';
import { estimateOfParts } from './estimate.ts';
import { type Candidate, inOrder } from './ranking.ts';

/** What is left to spend; `null`: no limit. */
export interface Allowance {
  readonly bytes: number | null;
  readonly engineSeconds: number | null;
  readonly tables: number | null;
}

export interface Spent {
  readonly bytes: number;
  readonly engineSeconds: number;
  readonly tables: number;
}

export interface Selection {
  /** In the order in which they were chosen. */
  readonly chosen: readonly Candidate[];
  readonly left: readonly LeftOut[];
  readonly spent: Spent;
  /** The overdue table that is larger than the budget and goes first; `null`: there is none. */
  readonly beyond: string | null;
}

export interface LeftOut {
  readonly candidate: Candidate;
  readonly reason: Reason;
}

/** So much of each limit goes round the namespaces before the best of all take the rest. */
const FAIR_SHARE = 0.2;

/**
 * Greedy by score. Nothing that would overshoot a limit is chosen; what comes after it may still
 * fit. Overdue ones come first; then each namespace gets its best, within a fifth of the budget.
 * Something overdue that is larger than the budget runs where nothing was rewritten before it: else
 * it never would. The same rule as `brokenLimit`.
 * @param bytesBefore rewritten earlier in the window
 */
export function select(
  candidates: readonly Candidate[],
  allowance: Allowance,
  bytesBefore = 0,
): Selection {
  const order = inOrder(candidates);
  const purse = new Purse(allowance, bytesBefore);
  for (const one of order) if (one.overdue) purse.take(one);
  const share = scaled(allowance, FAIR_SHARE);
  for (const one of bestOfEach(order)) purse.take(one, share);
  for (const one of order) purse.take(one);
  const ranks = new Map(order.map((one, at) => [one, at + 1]));
  return {
    chosen: [...purse.chosen],
    left: order
      .filter((one) => !purse.chosen.has(one))
      .map((candidate) => {
        const place = `${ranks.get(candidate)} of ${order.length}`;
        return { candidate, reason: purse.reasonAgainst(candidate, place) };
      }),
    spent: purse.spent,
    beyond: purse.beyond,
  };
}

function scaled({ bytes, engineSeconds, tables }: Allowance, by: number): Allowance {
  const part = (limit: number | null) => (limit === null ? null : limit * by);
  return { bytes: part(bytes), engineSeconds: part(engineSeconds), tables: part(tables) };
}

/** In the order of their scores. */
function bestOfEach(order: readonly Candidate[]): readonly Candidate[] {
  const first = new Map<string, Candidate>();
  for (const one of order) if (!first.has(one.namespace)) first.set(one.namespace, one);
  return [...first.values()];
}

class Purse {
  readonly chosen = new Set<Candidate>();
  spent: Spent = { bytes: 0, engineSeconds: 0, tables: 0 };
  beyond: string | null = null;
  private readonly allowance: Allowance;
  private readonly bytesBefore: number;
  /** Table → partitions chosen of it. */
  private readonly tables = new Map<string, number>();

  constructor(allowance: Allowance, bytesBefore: number) {
    this.allowance = allowance;
    this.bytesBefore = bytesBefore;
  }

  take(candidate: Candidate, within: Allowance = this.allowance): void {
    if (this.chosen.has(candidate)) return;
    const { table, parts } = candidate;
    const obstacle = this.obstacle(candidate, within);
    if (obstacle !== null) {
      if (!this.mayGoBeyond(candidate, obstacle)) return;
      this.beyond = table;
    }
    this.chosen.add(candidate);
    this.spent = this.with(candidate);
    this.tables.set(table, (this.tables.get(table) ?? 0) + (parts?.length ?? 0));
  }

  private mayGoBeyond({ overdue, bytes }: Candidate, obstacle: string): boolean {
    if (obstacle !== 'bytes' && obstacle !== 'engineSeconds') return false;
    const usedUp = this.allowance.bytes === 0 || this.allowance.engineSeconds === 0;
    return overdue && bytes > 0 && !usedUp && this.bytesBefore + this.spent.bytes === 0;
  }

  private with({ table, bytes, engineSeconds }: Candidate): Spent {
    return {
      bytes: this.spent.bytes + bytes,
      engineSeconds: this.spent.engineSeconds + engineSeconds,
      tables: this.spent.tables + (this.tables.has(table) ? 0 : 1),
    };
  }

  /** The limit that stands in the way; `null`: none. */
  private obstacle(candidate: Candidate, within: Allowance): keyof Spent | 'partitions' | null {
    const next = this.with(candidate);
    const count = (this.tables.get(candidate.table) ?? 0) + (candidate.parts?.length ?? 0);
    // One that cannot be split is not named either, but means the whole table.
    if (count > PARTITIONS_MAX && candidate.parts?.length === 1) return 'partitions';
    for (const name of ['tables', 'bytes', 'engineSeconds'] as const) {
      const limit = within[name];
      // A table that is being worked on already costs no further place.
      if (limit !== null && next[name] > limit && next[name] > this.spent[name]) return name;
    }
    return null;
  }

  reasonAgainst(candidate: Candidate, place: string): Reason {
    const name = this.obstacle(candidate, this.allowance) ?? 'bytes';
    const rate = `${Number(candidate.score.toFixed(1))} files for each GB`;
    const lead = `${place} in rank with ${rate}`;
    if (name === 'partitions') {
      const because = `${lead}; one operation names at most ${PARTITIONS_MAX} partitions`;
      return { metric: 'rank', value: candidate.score, threshold: null, met: false, because };
    }
    const limit = this.allowance[name] ?? 0;
    const remains = Math.max(0, limit - this.spent[name]);
    const needs = name === 'tables' ? 1 : candidate[name];
    const told = (value: number) => {
      if (name === 'bytes') return formatBytes(value);
      return name === 'tables' ? `${value} tables` : `${Number(value.toFixed(1))} engine-seconds`;
    };
    return {
      metric: `budget_${name === 'engineSeconds' ? 'engine_seconds' : name}`,
      value: needs,
      threshold: remains,
      met: false,
      because: `${lead}: it needs ${told(needs)}, and the budget has ${told(remains)} left`,
    };
  }
}

/** The plan of a table as it was chosen: what was left out is a skip with its reason. */
export function narrowPlan(
  plan: TablePlan,
  selection: Selection,
  nextAllowanceAt: string | null,
): TablePlan {
  const mine = selection.chosen.filter((one) => one.table === plan.table);
  const left = selection.left.filter((one) => one.candidate.table === plan.table);
  const parts = mine.flatMap((one) => one.parts ?? []);
  const upkeep = mine.some((one) => one.parts === null);
  const leave = (decision: Decision, rewrites: boolean): Decision => {
    const why = left.find(({ candidate }) => (candidate.parts !== null) === rewrites);
    const { parts: _parts, ...rest } = decision;
    return {
      ...rest,
      action: 'skip',
      engine: null,
      operation: null,
      reasons: why === undefined ? decision.reasons : [...decision.reasons, why.reason],
      nextEligibleAt: nextAllowanceAt,
    };
  };
  const decisions = plan.decisions.map((decision) => {
    if (decision.action !== 'run') return decision;
    if (decision.kind !== 'compact') return upkeep ? decision : leave(decision, false);
    return parts.length === 0 ? leave(decision, true) : narrow(decision, parts, left[0]?.reason);
  });
  return { ...plan, decisions };
}

function narrow(decision: Decision, parts: readonly PartGain[], against?: Reason): Decision {
  const { operation, estimate, parts: all = [] } = decision;
  if (parts.length === all.length || operation?.kind !== 'compact') return decision;
  const share: Reason = {
    metric: 'selected_partitions',
    value: parts.length,
    threshold: all.length,
    met: true,
    because:
      `the best ${parts.length} of ${all.length} partitions now, the others later` +
      (against === undefined ? '' : `: ${against.because}`),
  };
  return {
    ...decision,
    operation: { ...operation, partitions: parts.map((one) => one.key) },
    reasons: [...decision.reasons, share],
    estimate: estimate === null ? null : estimateOfParts(estimate, parts),
    parts,
  };
}
