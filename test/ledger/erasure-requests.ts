/** What is done to requests for erasure in tests of the ledger. */
import type { SealedValues } from '../../src/activities/erasure-ports.ts';
import type { ErasureState } from '../../src/domain/erasure/request.ts';
import type { RequestAct } from '../../src/domain/erasure/transitions.ts';
import { AT, certificate, newErasure } from '../proof/fixture.ts';
import type { OwnLedger } from './own-ledger.ts';

/** @param seal encrypts the subject's values */
export function erasureRequests(own: OwnLedger, seal: (requestId: string) => SealedValues) {
  const open = (requestId: string) =>
    own.ledger.erasures.openRequest(newErasure(requestId), seal(requestId));
  const act = (requestId: string, what: RequestAct, by = 'workflow', from?: ErasureState[]) =>
    own.ledger.erasures.actOn({ requestId, act: what, by, at: AT, ...(from ? { from } : {}) });
  const move = (requestId: string, to: ErasureState, patch = {}) =>
    act(requestId, { kind: 'move', to, patch });
  return {
    ...{ open, act, move },
    openVerifying: async (requestId: string, batchId: string): Promise<void> => {
      await open(requestId);
      await move(requestId, 'found');
      await move(requestId, 'awaiting_approval');
      await act(requestId, { kind: 'approve' }, 'cli:ben');
      await own.ledger.erasures.openBatch(batchId, AT);
      await move(requestId, 'forgetting', { batchId });
      await move(requestId, 'verifying');
    },
    finish: async (requestId: string): Promise<void> => {
      const document = certificate({ requestId, certificateId: `c-${requestId}` });
      await own.ledger.erasures.issueCertificate(document, 'workflow', AT);
    },
  };
}
