/** What commands about erasure need: the ledger's requests, the keys, the policies, the workflow. */
import type { ErasureLedger, SealedValues, SubjectHasher } from '../activities/erasure-ports.ts';
import {
  type PrivacyPolicy,
  privacyPolicies,
  type SubjectValues,
} from '../domain/erasure/privacy.ts';
import type { ErasureRequest } from '../domain/erasure/request.ts';
import type { Session } from './session.ts';

export interface Erasures {
  readonly erasures: ErasureLedger;
  readonly keys: {
    hasher(): SubjectHasher;
    seal(requestId: string, values: SubjectValues): SealedValues;
  };
  readonly privacy: () => Promise<readonly PrivacyPolicy[]>;
  /** Starts or wakes the request's workflow, and wakes that of its batch. */
  readonly wake: (request: Pick<ErasureRequest, 'requestId' | 'batchId'>) => Promise<void>;
}

export async function openErasures(session: Session): Promise<Erasures> {
  const [erasures, project, keys] = await Promise.all([
    session.erasures(),
    session.project(),
    session.keys(),
  ]);
  const { sealValues } = await import('../proof/keyring.ts');
  return {
    erasures,
    keys: {
      hasher: keys.hasher,
      seal: (requestId, values) => sealValues(keys.keyring(), requestId, values),
    },
    privacy: async () => privacyPolicies(await project.policies(), session.config.catalog.name),
    wake: async ({ requestId, batchId }) => {
      const { hurryBatch, wakeErasure } = await import('../temporal/erasures.ts');
      const client = await session.temporal();
      await wakeErasure(client, requestId);
      if (batchId !== null) await hurryBatch(client, batchId);
    },
  };
}
