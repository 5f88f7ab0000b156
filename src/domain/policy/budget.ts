/** What a window has cost so far, and what it may still cost. */
import type { Receipt } from '../receipt.ts';

/** What one window (or, without a window, one UTC day) may cost. `null`: no limit. */
export interface Budget {
  readonly bytes: number | null;
  readonly engineSeconds: number | null;
  readonly tables: number | null;
  /** Tables at once. */
  readonly concurrency: number;
}

export interface Spent {
  /** Rewritten by engines. */
  readonly bytes: number;
  /** From the start of each operation to its end, added up over all that ran beside each other. */
  readonly engineSeconds: number;
  /** Tables that an operation ran on, whatever came of it. */
  readonly tables: ReadonlySet<string>;
}

export const NOTHING_SPENT: Spent = { bytes: 0, engineSeconds: 0, tables: new Set() };

export type TableReceipt = Receipt & { readonly table: string };

/** What a receipt cost; models and refused operations cost no budget of maintenance. */
export function addReceipt(spent: Spent, receipt: TableReceipt): Spent {
  if (receipt.operation === 'transform' || receipt.status === 'refused') return spent;
  const tookMs = Date.parse(receipt.finishedAt) - Date.parse(receipt.startedAt);
  return {
    bytes: spent.bytes + receipt.bytesRewritten,
    engineSeconds: spent.engineSeconds + Math.max(0, tookMs) / 1000,
    tables: new Set([...spent.tables, receipt.table]),
  };
}

/**
 * Spent by operations that began at or after `sinceMs`: an operation belongs to the window in which
 * it began, however late it ends. Runs by hand count: they keep the same engines busy.
 */
export function spentSince(receipts: readonly TableReceipt[], sinceMs: number): Spent {
  return receipts
    .filter(({ startedAt }) => Date.parse(startedAt) >= sinceMs)
    .reduce(addReceipt, NOTHING_SPENT);
}

/** Never below zero. `null`: no limit. */
export interface Remaining {
  readonly bytes: number | null;
  readonly engineSeconds: number | null;
  readonly tables: number | null;
}

export function remainingOf(budget: Budget, spent: Spent): Remaining {
  const left = (limit: number | null, used: number) =>
    limit === null ? null : Math.max(0, limit - used);
  return {
    bytes: left(budget.bytes, spent.bytes),
    engineSeconds: left(budget.engineSeconds, spent.engineSeconds),
    tables: left(budget.tables, spent.tables.size),
  };
}

/** What an operation is expected to cost. `null`: not known, taken as nothing. */
export interface Cost {
  readonly table: string;
  readonly bytes: number | null;
  readonly engineSeconds: number | null;
}

/**
 * Which limit an operation would break; `null`: it fits. A table that was worked on already costs
 * no further table, and what costs nothing of a limit is not stopped by it. What is overdue goes
 * beyond a budget of which no byte is spent: larger than the whole of it, it would never run.
 */
export function brokenLimit(
  budget: Budget,
  spent: Spent,
  cost: Cost,
  overdue = false,
): keyof Remaining | null {
  const left = remainingOf(budget, spent);
  const [bytes, seconds] = [cost.bytes ?? 0, cost.engineSeconds ?? 0];
  if (left.tables !== null && left.tables <= 0 && !spent.tables.has(cost.table)) return 'tables';
  const usedUp = left.bytes === 0 || left.engineSeconds === 0;
  if (overdue && bytes > 0 && !usedUp && spent.bytes === 0) return null;
  if (left.bytes !== null && bytes > 0 && bytes > left.bytes) return 'bytes';
  if (left.engineSeconds !== null && seconds > 0 && seconds > left.engineSeconds) {
    return 'engineSeconds';
  }
  return null;
}

/** Adds an expected cost, for choosing several operations before any has run. */
export function addCost(spent: Spent, cost: Cost): Spent {
  return {
    bytes: spent.bytes + (cost.bytes ?? 0),
    engineSeconds: spent.engineSeconds + (cost.engineSeconds ?? 0),
    tables: new Set([...spent.tables, cost.table]),
  };
}
