/**
 * One request to forget a subject, from intake to certificate; it may take weeks. The ledger holds
 * its state, people change it there and wake this workflow, which asks what is to be done next.
 */
import { condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { assertNever } from '../domain/errors.ts';
import { type ErasureInput, erasureChangedSignal } from './messages.ts';
import { erasureControl, erasureEngine } from './proxies.ts';

export async function erasure(input: ErasureInput): Promise<void> {
  const { requestId } = input;
  let changed = false;
  setHandler(erasureChangedSignal, () => {
    changed = true;
  });
  for (;;) {
    changed = false;
    const next = await erasureControl.nextErasureStep({ requestId });
    switch (next.kind) {
      case 'find':
        await erasureEngine.findSubject({ requestId });
        break;
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
