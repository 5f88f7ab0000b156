/** Forgets the subjects of one batch in one table, step by step, while the table is held. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { TABLE_STEPS } from '../domain/erasure/table-steps.ts';
import { erasureSession, operationKey } from '../domain/ids.ts';
import { emptyOutcome, type JobOutcome } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { JobInput } from './messages.ts';
import { outcomeOfFailure } from './outcome.ts';
import { localControlFor } from './proxies.ts';
import { type OpenRun, recordedRun } from './recorded-run.ts';
import { onEngine } from './statement.ts';

/** Of one step: the manifests take the most. */
const STATEMENTS_MAX = 26;

export async function tableErasure(input: JobInput): Promise<JobOutcome> {
  return recordedRun(input, walkSteps);
}

async function walkSteps(run: OpenRun): Promise<JobOutcome> {
  const { table, job } = run;
  const { runId, work } = job;
  const batchId = work.kind === 'erase' ? work.batchId : '';
  await localControlFor(job.kind).openErasure(run);
  const receipts: Receipt[] = [];
  for (const [ordinal, step] of TABLE_STEPS.entries()) {
    const key = operationKey(runId, ordinal);
    const statement = { key, session: erasureSession(step), statements: STATEMENTS_MAX };
    try {
      const receipt = await onEngine('spark', job.kind, statement, ({ eraseStep }) =>
        eraseStep({ table, runId, batchId, step, ordinal }),
      );
      receipts.push(receipt);
      if (receipt.status === 'failed' || receipt.status === 'refused') break;
    } catch (error) {
      if (isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      return { ...outcomeOfFailure(job, error), receipts };
    }
  }
  const bad = receipts.find((one) => one.status === 'failed' || one.status === 'refused');
  const state = bad === undefined ? 'done' : bad.status === 'refused' ? 'refused' : 'failed';
  return { ...emptyOutcome(runId), receipts, state, error: bad?.error ?? null };
}
