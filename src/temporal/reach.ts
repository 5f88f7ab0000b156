/** Asking a long-lived workflow something, with errors that say who is missing. */
import {
  type Client,
  isGrpcServiceError,
  type Workflow,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { IcewrightError, isErrorCode } from '../domain/errors.ts';
import { temporalError } from './connect.ts';

/** A worker answers within milliseconds; a busy machine's within seconds. */
const ANSWER_MS = 10_000;
/** CANCELLED, DEADLINE_EXCEEDED. */
const LATE_CODES: ReadonlySet<number> = new Set([1, 4]);

export interface Reached {
  readonly workflowId: string;
  /** What it looks after, for people. */
  readonly subject: string;
  /** Said when the workflow does not run. */
  readonly absent: string;
}

/** Rejects with `WorkerUnavailable` when it does not run or nobody answers, else with its error. */
export async function reach<W extends Workflow, T>(
  client: Client,
  { workflowId, subject, absent }: Reached,
  ask: (handle: WorkflowHandle<W>) => Promise<T>,
): Promise<T> {
  const handle = client.workflow.getHandle<W>(workflowId);
  try {
    return await client.withDeadline(Date.now() + ANSWER_MS, () => ask(handle));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new IcewrightError('WorkerUnavailable', absent, { workflowId });
    }
    if (isLate(error)) throw noWorker(workflowId, subject);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : null;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      throw new IcewrightError(cause.type, cause.message);
    }
    throw temporalError(error);
  }
}

/** What was asked was taken on: a worker that is away comes back, and does it. */
export function passOver(error: unknown): null {
  if (error instanceof IcewrightError && error.details.away === true) return null;
  throw error;
}

/** gRPC's DEADLINE_EXCEEDED, or CANCELLED from the client's side of it, wherever the SDK put it. */
function isLate(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (isGrpcServiceError(error) && LATE_CODES.has(error.code)) return true;
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause !== undefined && cause !== error && isLate(cause);
}

function noWorker(workflowId: string, subject: string): IcewrightError {
  return new IcewrightError(
    'WorkerUnavailable',
    `no worker answered for ${subject} within ${ANSWER_MS / 1_000} s: does one run? ` +
      'See "icewright stack status"',
    { subject, workflowId, away: true },
  );
}
