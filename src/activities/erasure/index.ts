/** All activities of erasure, with their dependencies as arguments. */
import { withFailures, withHeartbeats } from '../failure.ts';
import type { Ledger } from '../ledger-port.ts';
import type { Jobs } from '../ports.ts';
import { refuseBesideAnother, rowOf } from '../runs.ts';
import type { OpenRunInput } from '../types.ts';
import { batchClosesAt, beginVerification, closeBatch, joinBatch, nextStep } from './batches.ts';
import { findBlocked, lookAgainAll } from './blocked.ts';
import { finishBatch } from './certify.ts';
import type { ErasureDeps } from './deps.ts';
import { discreetly } from './discreet.ts';
import { createFinder } from './find.ts';
import { remembering } from './remembering.ts';
import { forgetSources } from './sources.ts';
import { eraseStep } from './table-step.ts';
import { failBatch, noteBatch, noteRequest } from './tell.ts';
import type { ErasureActivities, ErasureEngineActivities } from './types.ts';
import { verifyTable } from './verify.ts';

export function createErasureActivities(deps: ErasureDeps): ErasureActivities {
  const told = teller(deps);
  return {
    nextErasureStep: told(({ requestId }) => nextStep(deps, requestId)),
    joinBatch: told(({ requestId }) => joinBatch(deps, requestId)),
    batchClosesAt: told(({ batchId }) => batchClosesAt(deps, batchId)),
    closeBatch: told(({ batchId }) => closeBatch(remembering(deps), batchId)),
    forgetSources: told(async ({ batchId }) => void (await forgetSources(deps, batchId))),
    failBatch: told(({ batchId, error }) => failBatch(deps, batchId, error)),
    noteBatch: told(({ batchId, waitingFor }) => noteBatch(deps, batchId, waitingFor)),
    noteRequest: told(({ requestId, waitingFor }) => noteRequest(deps, requestId, waitingFor)),
    beginVerification: told(({ batchId }) => beginVerification(deps, batchId)),
    finishBatch: told(({ batchId }) => finishBatch(remembering(deps), batchId)),
  };
}

export function createErasureEngineActivities(deps: ErasureDeps): ErasureEngineActivities {
  const told = teller(deps);
  const finder = createFinder();
  return {
    findSubject: told(({ requestId }) => finder.find(deps, requestId)),
    lookAgain: told(({ batchId }) => lookAgainAll(deps, batchId)),
    findBlocked: told(({ batchId }) => findBlocked(remembering(deps), batchId)),
    eraseStep: told((input) => eraseStep(deps, input)),
    verifyTable: told((input) => verifyTable(deps, input)),
  };
}

/** Failures as all activities tell them, without the person; a killed worker is noticed. */
function teller(deps: ErasureDeps) {
  return <In extends { readonly requestId?: string; readonly batchId?: string }, Out>(
    activity: (input: In) => Promise<Out>,
  ) => withFailures(withHeartbeats(discreetly(deps, activity)));
}

/** The run of a batch in one table begins. */
export function createOpenErasure(deps: {
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly nowMs: () => number;
}): (input: OpenRunInput) => Promise<void> {
  return withFailures(async (input: OpenRunInput) => {
    await refuseBesideAnother(deps, input);
    const startedAt = new Date(deps.nowMs()).toISOString();
    await deps.ledger.saveRun({ ...rowOf(input, 'running', startedAt), startedAt });
  });
}
