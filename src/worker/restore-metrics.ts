/** What a new worker's gauges show before anything has happened: the last state in the ledger. */
import type { Ledger, RunRow } from '../activities/ports.ts';
import type { Metrics } from '../http/metrics.ts';
import { log } from '../log.ts';

/** Of a table, when its last plan is compared with what was done since. */
const RECEIPTS_MAX = 20;
/** Among these is a night that was done, or there has been none for long. */
const NIGHTS_MAX = 30;

export interface RestoreDeps {
  readonly ledger: Pick<Ledger, 'latestReports' | 'listRuns' | 'readPlan' | 'recentReceipts'>;
  readonly metrics: Metrics;
  readonly catalog: string;
}

/** Never rejects: a worker without old figures serves all the same. */
export async function restoreMetrics(deps: RestoreDeps): Promise<void> {
  const steps = { restoreTables, restoreNights };
  for (const [step, restore] of Object.entries(steps)) {
    await restore(deps).catch((error: unknown) =>
      log.warn('the gauges begin without what the ledger knows', { step, error }),
    );
  }
}

async function restoreTables({ ledger, metrics, catalog }: RestoreDeps): Promise<void> {
  const reports = await ledger.latestReports(catalog);
  if (reports.length > 0) metrics.healthSwept(reports);
}

async function restoreNights(deps: RestoreDeps): Promise<void> {
  const nights = await deps.ledger.listRuns({ kind: 'nightly', limit: NIGHTS_MAX });
  const ended = nights.filter((one) => one.finishedAt !== null);
  const succeeded = ended.find((one) => one.state === 'done');
  for (const night of [succeeded, ended[0]]) {
    if (night?.finishedAt != null) {
      deps.metrics.nightEnded(night.state, Date.parse(night.finishedAt));
    }
  }
  const last = nights[0];
  if (last !== undefined) await restorePlan(deps, last);
}

/** A night's maintenance plan has the id of its run. */
async function restorePlan({ ledger, metrics }: RestoreDeps, night: RunRow): Promise<void> {
  const plan = await ledger.readPlan(night.runId);
  if (plan === null) return;
  metrics.maintenancePlanned(plan.tables, Date.parse(plan.createdAt));
  const due = plan.tables.filter((one) => one.decisions.some(({ action }) => action === 'run'));
  for (const { table } of due) {
    for (const receipt of await ledger.recentReceipts(table, RECEIPTS_MAX)) {
      if (receipt.finishedAt > plan.createdAt) metrics.operationRestored(receipt, table);
    }
  }
}
