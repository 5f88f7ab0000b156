/**
 * One request to forget a subject, from intake to certificate; it may take weeks. The ledger holds
 * its state, people change it there and wake this workflow, which asks what is to be done next.
 */
import {
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { type ErasureInput, erasureChangedSignal } from './messages.ts';
import { errorOf } from './outcome.ts';
import { erasureControl, erasureEngine } from './proxies.ts';

/** Between two tries of what did not succeed: doubled each time, up to an hour. */
const AGAIN_MIN_MS = 2_000;
const AGAIN_MAX_MS = 3_600_000;

export async function erasure(input: ErasureInput): Promise<void> {
  const { requestId } = input;
  let changed = false;
  let waitMs = AGAIN_MIN_MS;
  setHandler(erasureChangedSignal, () => {
    changed = true;
  });
  for (;;) {
    changed = false;
    try {
      const next = await erasureControl.nextErasureStep({ requestId });
      if (next.kind === 'end') return;
      if (next.kind === 'wait') {
        await condition(() => changed, Math.max(1_000, next.untilMs - Date.now()));
      } else await (next.kind === 'find' ? erasureEngine.findSubject : join)({ requestId });
      waitMs = AGAIN_MIN_MS;
    } catch (error) {
      if (isCancellation(error)) throw error;
      // A ledger that was made anew knows nothing of it, and never will.
      if (errorOf(error).code === 'RunNotFound') return;
      await tell(requestId, error);
      await condition(() => changed, waitMs);
      waitMs = Math.min(2 * waitMs, AGAIN_MAX_MS);
    }
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof erasure>(input);
  }
}

function join(input: ErasureInput): Promise<void> {
  return erasureControl.joinBatch(input);
}

/**
 * What fails is told by the request's row, and tried again: its deadline waits for nobody. Where
 * the ledger itself is away, nobody can be told, and that is no reason to give up.
 */
async function tell(requestId: string, failure: unknown): Promise<void> {
  const { code, message } = errorOf(failure);
  try {
    await erasureControl.noteRequest({ requestId, waitingFor: { code, message } });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
