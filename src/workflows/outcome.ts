/** From what a step threw to what is told to the requester. */
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
} from '@temporalio/workflow';
import { ERROR_RULES, isErrorCode } from '../domain/errors.ts';
import {
  cancelledOutcome,
  emptyOutcome,
  type Job,
  type JobError,
  type JobOutcome,
} from '../domain/job.ts';

/** The code and message of the innermost failure that carries one of our codes. */
export function errorOf(error: unknown): JobError {
  let at: unknown = error;
  while (at instanceof ActivityFailure || at instanceof ChildWorkflowFailure) at = at.cause;
  if (at instanceof ApplicationFailure && isErrorCode(at.type)) {
    const details = at.details?.[0] as Record<string, unknown> | undefined;
    return { code: at.type, message: at.message, ...(details === undefined ? {} : { details }) };
  }
  return { code: 'Internal', message: at instanceof Error ? at.message : String(at) };
}

/** The outcome of a job whose run threw. */
export function outcomeOfFailure(job: Job, error: unknown): JobOutcome {
  if (isCancellation(error)) return cancelledOutcome(job.runId, 'the run was cancelled');
  const { code, message, details } = errorOf(error);
  return {
    ...emptyOutcome(job.runId),
    state: ERROR_RULES[code].exitCode === 3 ? 'refused' : 'failed',
    error: { code, message, ...(details === undefined ? {} : { details }) },
  };
}
