/** All activities of erasure, with their dependencies as arguments. */
import { withFailures, withHeartbeats } from '../failure.ts';
import type { Ledger } from '../ledger-port.ts';
import type { Jobs } from '../ports.ts';
import { refuseBesideAnother, rowOf } from '../runs.ts';
import type { OpenRunInput } from '../types.ts';
import {
  batchClosesAt,
  beginVerification,
  closeBatch,
  joinBatch,
  nextStep,
  noteBatch,
} from './batches.ts';
import { findBlocked, lookAgainAll } from './blocked.ts';
import { finishBatch } from './certify.ts';
import type { ErasureDeps } from './deps.ts';
import { findSubject } from './find.ts';
import { forgetSources } from './sources.ts';
import { eraseStep } from './table-step.ts';
import type { ErasureActivities, ErasureEngineActivities } from './types.ts';
import { verifyTable } from './verify.ts';

export function createErasureActivities(deps: ErasureDeps): ErasureActivities {
  return {
    nextErasureStep: withFailures(({ requestId }) => nextStep(deps, requestId)),
    joinBatch: withFailures(({ requestId }) => joinBatch(deps, requestId)),
    batchClosesAt: withFailures(({ batchId }) => batchClosesAt(deps, batchId)),
    closeBatch: withFailures(({ batchId }) => closeBatch(deps, batchId)),
    forgetSources: withFailures(({ batchId }) => forgetSources(deps, batchId)),
    noteBatch: withFailures(({ batchId, waitingFor }) => noteBatch(deps, batchId, waitingFor)),
    beginVerification: withFailures(({ batchId }) => beginVerification(deps, batchId)),
    finishBatch: withFailures(({ batchId }) => finishBatch(deps, batchId)),
  };
}

export function createErasureEngineActivities(deps: ErasureDeps): ErasureEngineActivities {
  return {
    findSubject: withFailures(withHeartbeats(({ requestId }) => findSubject(deps, requestId))),
    lookAgain: withFailures(withHeartbeats(({ batchId }) => lookAgainAll(deps, batchId))),
    findBlocked: withFailures(withHeartbeats(({ batchId }) => findBlocked(deps, batchId))),
    eraseStep: withFailures(withHeartbeats((input) => eraseStep(deps, input))),
    verifyTable: withFailures(withHeartbeats((input) => verifyTable(deps, input))),
  };
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
