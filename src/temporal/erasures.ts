/** Workflows of erasure as commands and activities reach them. They carry ids and nothing else. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { batchWorkflowId, CONTROL_QUEUE, erasureWorkflowId } from '../domain/ids.ts';
import type { ErasureBatchInput, ErasureInput } from '../workflows/messages.ts';
import { temporalError } from './connect.ts';

type ErasureWorkflow = (input: ErasureInput) => Promise<void>;
type BatchWorkflow = (input: ErasureBatchInput) => Promise<void>;

/** Starts the request's workflow, or wakes the one that is there: its row has changed. */
export async function wakeErasure(client: Client, requestId: string): Promise<void> {
  try {
    await client.workflow.signalWithStart<ErasureWorkflow, []>('erasure', {
      workflowId: erasureWorkflowId(requestId),
      taskQueue: CONTROL_QUEUE,
      args: [{ requestId }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: 'erasureChanged',
      signalArgs: [],
      staticSummary: `erasure request ${requestId}`,
    });
  } catch (error) {
    throw temporalError(error);
  }
}

/** A batch that waits for something tries again at once; one that has ended does not. */
export async function hurryBatch(client: Client, batchId: string): Promise<void> {
  try {
    await client.workflow.getHandle(batchWorkflowId(batchId)).signal('erasureChanged');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalError(error);
  }
}

/** Starts a batch that takes requests until it closes; one that is there stays as it is. */
export async function startBatch(client: Client, batchId: string): Promise<void> {
  try {
    await client.workflow.start<BatchWorkflow>('erasureBatch', {
      workflowId: batchWorkflowId(batchId),
      taskQueue: CONTROL_QUEUE,
      args: [{ batchId }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `erasure batch ${batchId}`,
    });
  } catch (error) {
    throw temporalError(error);
  }
}

/** Whether a batch is still being worked through. */
export async function isBatchOpen(client: Client, batchId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(batchWorkflowId(batchId)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw temporalError(error);
  }
}
