/** Starting a night and watching it. */
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { IcewrightError, isErrorCode } from '../domain/errors.ts';
import { CONTROL_QUEUE } from '../domain/ids.ts';
import type { NightlyInput, NightlyProgress, NightlyReport } from '../workflows/messages.ts';

type NightWorkflow = (input: NightlyInput) => Promise<NightlyReport>;
export type NightHandle = WorkflowHandle<NightWorkflow>;

export async function startNight(
  client: Client,
  night: {
    readonly workflow: 'nightly' | 'transformRun';
    readonly workflowId: string;
    readonly input: NightlyInput;
  },
): Promise<NightHandle> {
  return client.workflow.start<NightWorkflow>(night.workflow, {
    workflowId: night.workflowId,
    taskQueue: CONTROL_QUEUE,
    args: [night.input],
  });
}

/**
 * Waits for the report. Every `everyMs` `onProgress` is told where the night is; `null` when it
 * cannot be asked (no worker). Rejects with the night's own error.
 */
export async function watchNight(
  handle: NightHandle,
  everyMs: number,
  onProgress: (progress: NightlyProgress | null) => void | Promise<void>,
): Promise<NightlyReport> {
  let ended = false;
  const report = handle.result().finally(() => {
    ended = true;
  });
  // The report may fail while we ask for progress: it is awaited, and thrown, below.
  report.catch(() => {});
  while (!ended) {
    await Promise.race([report.catch(() => {}), sleep(everyMs)]);
    if (!ended) await onProgress(await readProgress(handle, everyMs * 4));
  }
  try {
    return await report;
  } catch (error) {
    throw nightError(error, handle.workflowId);
  }
}

async function readProgress(
  handle: NightHandle,
  timeoutMs: number,
): Promise<NightlyProgress | null> {
  try {
    // Awaited to its end: a call that is left behind is tried again by a timer of the client, which
    // brings the process down when the connection is closed by then.
    return await handle.client.withDeadline(Date.now() + timeoutMs, () =>
      handle.query<NightlyProgress, []>('progress'),
    );
  } catch {
    return null;
  }
}

function nightError(error: unknown, workflowId: string): unknown {
  let at: unknown = error;
  while (at instanceof Error && !(at instanceof ApplicationFailure)) {
    if (at instanceof CancelledFailure) {
      return new IcewrightError('Cancelled', `${workflowId} was cancelled`, { workflowId });
    }
    at = at.cause;
  }
  if (at instanceof ApplicationFailure) {
    const code = isErrorCode(at.type) ? at.type : 'Internal';
    return new IcewrightError(code, at.message, { workflowId });
  }
  if (error instanceof WorkflowFailedError) {
    return new IcewrightError('Internal', `${workflowId}: ${error.message}`, { workflowId });
  }
  return error;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}
