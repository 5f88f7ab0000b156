/** One maintenance run of one table: walks a plan. It decides nothing; the planner did. */
import { CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import { operationKey, sessionOf } from '../domain/ids.ts';
import { emptyOutcome, type JobOutcome } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { JobInput } from './messages.ts';
import { outcomeOfFailure } from './outcome.ts';
import { localControlFor } from './proxies.ts';
import { type OpenRun, recordedRun } from './recorded-run.ts';
import { onEngine } from './statement.ts';

/** Runs that go on where orphans were refused. */
const ORPHANS_2 = 'orphans-2';

export async function tableMaintenance(input: JobInput): Promise<JobOutcome> {
  return recordedRun(input, walkPlan);
}

async function walkPlan(run: OpenRun): Promise<JobOutcome> {
  const { table, job } = run;
  const opened = await localControlFor(job.kind).openRun(run);
  const receipts: Receipt[] = [...opened.refused];
  let expected: { readonly expectedSnapshotId?: string | null } = {};
  for (const step of opened.steps) {
    const { ordinal, engine } = step;
    const session = step.session ?? sessionOf(step);
    const { planId } = opened;
    const { runId } = job;
    const statement = { key: operationKey(runId, ordinal), session };
    // What a person asked for is done as it was read; policies plan while others write.
    const appendsAllowed = job.kind === 'maintenance';
    const input = { table, runId, planId, ordinal, appendsAllowed, ...expected };
    let receipt: Receipt;
    try {
      receipt = await onEngine(engine, job.kind, statement, ({ runOperation }) =>
        runOperation(input),
      );
    } catch (error) {
      if (isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      // What the steps before it did is still told.
      return { ...outcomeOfFailure(job, error), planId, receipts };
    }
    receipts.push(receipt);
    if (receipt.status === 'refused' && goesOnAfter(receipt)) continue;
    // The rest of the plan relied on this step.
    if (receipt.status === 'failed' || receipt.status === 'refused') break;
    expected = { expectedSnapshotId: receipt.snapshotAfter };
  }
  const ended = (status: Receipt['status']) => receipts.find((one) => one.status === status);
  // Refused orphans do not hide that a later step failed.
  const bad = ended('failed') ?? ended('refused');
  return {
    ...emptyOutcome(job.runId),
    planId: opened.planId,
    receipts,
    state: bad === undefined ? 'done' : bad.status === 'refused' ? 'refused' : 'failed',
    error: bad?.error ?? null,
  };
}

/** Orphans that stay where they are change nothing that later steps rely on. */
function goesOnAfter({ operation }: Receipt): boolean {
  return operation === 'remove_orphans' && patched(ORPHANS_2);
}
