/**
 * Gauges of what this worker has not seen itself: what was before it started, and what other
 * workers do. The ledger knows; a scrape asks nobody, so it is read now and then.
 */
import type { ErasureLedger } from '../activities/erasure-ports.ts';
import type { Ledger, RunRow } from '../activities/ledger-port.ts';
import { ENDED_STATES, ERASURE_STATES } from '../domain/erasure/request.ts';
import type { TablePlan } from '../domain/operation.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Metrics } from '../http/metrics.ts';
import { log } from '../log.ts';

/** Less than the shortest alert takes to fire. */
const EVERY_MS = 120_000;
/** Of a table, when its last plan is compared with what was done since. */
const RECEIPTS_MAX = 20;
/** Among these is a night that was done, or there has been none for long. */
const NIGHTS_MAX = 30;
/** Open at the same time. */
const ERASURES_MAX = 100_000;

export interface RestoreDeps {
  readonly ledger: Pick<Ledger, 'latestReports' | 'listRuns' | 'readPlan' | 'recentReceipts'>;
  readonly erasures: Pick<ErasureLedger, 'listRequests'>;
  readonly metrics: Metrics;
  readonly catalog: string;
  readonly nowMs?: () => number;
}

/** Never rejects: a worker without old figures serves all the same. */
export async function restoreMetrics(deps: RestoreDeps): Promise<void> {
  const parts = { tables: restoreTables, nights: restoreNights, erasures: restoreErasures };
  for (const [what, restore] of Object.entries(parts)) {
    await restore(deps).catch((error: unknown) =>
      log.warn('gauges could not be read from the ledger', { what, error }),
    );
  }
}

/** Restores now and from then on. Resolves, after the first time, to what ends that. */
export async function keepMetrics(deps: RestoreDeps): Promise<() => void> {
  await restoreMetrics(deps);
  const timer = setInterval(() => restoreMetrics(deps), EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** A worker that sweeps knows better. */
async function restoreTables(deps: RestoreDeps): Promise<void> {
  const { ledger, metrics, catalog, nowMs = Date.now } = deps;
  if (metrics.sweptAtMs !== null && nowMs() - metrics.sweptAtMs < EVERY_MS * 3) return;
  const askedAtMs = nowMs();
  const reports = await ledger.latestReports(catalog);
  // Meanwhile it may have swept itself.
  if ((metrics.sweptAtMs ?? 0) < askedAtMs && reports.length > 0) metrics.healthRestored(reports);
}

async function restoreNights(deps: RestoreDeps): Promise<void> {
  const nights = await deps.ledger.listRuns({ kind: 'nightly', limit: NIGHTS_MAX });
  const ended = nights.filter((one) => one.finishedAt !== null);
  const succeeded = ended.find((one) => one.state === 'done');
  for (const night of [succeeded, ended[0]]) {
    if (night?.finishedAt == null) continue;
    deps.metrics.nightEnded(night.state, Date.parse(night.finishedAt));
  }
  const last = nights[0];
  if (last !== undefined) await restorePlan(deps, last);
}

/** Their clocks run on whatever a worker does: none of them is counted anywhere else. */
async function restoreErasures({ erasures, metrics }: RestoreDeps): Promise<void> {
  const states = ERASURE_STATES.filter((one) => !ENDED_STATES.includes(one));
  const open = await erasures.listRequests({ states, limit: ERASURES_MAX });
  metrics.erasuresOpen(
    open.map(({ state, deadlineAt }) => ({ state, deadlineAtMs: Date.parse(deadlineAt) })),
  );
}

/** A night's maintenance plan has the id of its run. */
async function restorePlan({ ledger, metrics }: RestoreDeps, night: RunRow): Promise<void> {
  const plan = await ledger.readPlan(night.runId);
  if (plan === null) return;
  const since: [Receipt, string][] = [];
  for (const { table } of plan.tables.filter(isWaiting)) {
    for (const receipt of await ledger.recentReceipts(table, RECEIPTS_MAX)) {
      if (receipt.finishedAt > plan.createdAt) since.push([receipt, table]);
    }
  }
  // In one go: a scrape between the two would see as due what is done.
  metrics.maintenancePlanned(plan.tables, Date.parse(plan.createdAt));
  for (const [receipt, table] of since) metrics.operationRestored(receipt, table);
}

/** Whether something of it is due, or paused by its breaker. */
function isWaiting({ decisions }: TablePlan): boolean {
  return decisions.some(
    ({ action, reasons }) =>
      action === 'run' ||
      reasons.some(({ metric, met }) => metric === 'consecutive_failures' && !met),
  );
}
