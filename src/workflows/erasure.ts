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
import { assertNever } from '../domain/errors.ts';
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
    const next = await erasureControl.nextErasureStep({ requestId });
    switch (next.kind) {
      case 'find': {
        const found = await tryToFind(requestId);
        if (!found) await condition(() => changed, waitMs);
        waitMs = found ? AGAIN_MIN_MS : Math.min(2 * waitMs, AGAIN_MAX_MS);
        break;
      }
      case 'join':
        await erasureControl.joinBatch({ requestId });
        break;
      case 'wait':
        await condition(() => changed, Math.max(1_000, next.untilMs - Date.now()));
        break;
      case 'end':
        return;
      default:
        return assertNever(next);
    }
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof erasure>(input);
  }
}

/** What fails is told by the request's row, and tried again: its deadline waits for nobody. */
async function tryToFind(requestId: string): Promise<boolean> {
  try {
    await erasureEngine.findSubject({ requestId });
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = errorOf(error);
    await erasureControl.noteRequest({ requestId, waitingFor: { code, message } });
    return false;
  }
}
