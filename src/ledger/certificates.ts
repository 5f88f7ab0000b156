import type { ErasureAct, Sealer } from '../activities/erasure-ports.ts';
import type { Certificate, SignedCertificate } from '../domain/erasure/certificate.ts';
import type { Queryable } from './connection.ts';
import { actOnRequest, findRequest } from './erasures.ts';
import { insertCertificate, selectCertificate } from './proofs.ts';

/** `db` is a transaction: a certificate and the end of its request are written together. */
export async function issueCertificate(
  db: Queryable,
  sealer: Sealer,
  certificate: Certificate,
  { by, at }: Pick<ErasureAct, 'by' | 'at'>,
): Promise<SignedCertificate> {
  const { requestId, certificateId } = certificate;
  // Of two attempts at once, the later one must see what the earlier one wrote.
  await findRequest(db, requestId, 'for update');
  const first = await selectCertificate(db, requestId);
  if (first !== null) return first;
  await insertCertificate(db, sealer, certificate);
  const act = { kind: 'move', to: 'done', patch: { certificateId } } as const;
  await actOnRequest(db, () => sealer, { requestId, act, by, at });
  return (await selectCertificate(db, requestId)) as SignedCertificate;
}
