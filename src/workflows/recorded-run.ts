/** The frame of every run of a table: whatever happens inside, its end is written to the ledger. */
import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { JobOutcome } from '../domain/job.ts';
import type { JobInput } from './messages.ts';
import { outcomeOfFailure } from './outcome.ts';
import { localControl } from './proxies.ts';

export interface OpenRun extends JobInput {
  readonly workflowId: string;
}

/**
 * Returns the outcome, also of a failure. Only a cancellation is thrown on, after it is recorded.
 */
export async function recordedRun(
  input: JobInput,
  execute: (run: OpenRun) => Promise<JobOutcome>,
): Promise<JobOutcome> {
  const run = { ...input, workflowId: workflowInfo().workflowId };
  let outcome: JobOutcome;
  let thrown: unknown = null;
  try {
    outcome = await execute(run);
  } catch (error) {
    // An activity whose worker was dead when the cancellation came ends with a timeout instead.
    const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    thrown = cancelled && !isCancellation(error) ? new CancelledFailure('cancelled') : error;
    outcome = outcomeOfFailure(input.job, thrown);
  }
  // A cancellation that comes now comes too late: what has ended stays ended.
  await CancellationScope.nonCancellable(() => localControl.closeRun({ ...run, outcome }));
  if (isCancellation(thrown)) throw thrown;
  return outcome;
}
