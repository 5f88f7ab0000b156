/** The ledger's half that erasures need: each statement with its transaction. */
import type pg from 'pg';
import type { ErasureLedger, Sealer } from '../activities/erasure-ports.ts';
import { IcewrightError } from '../domain/errors.ts';
import { issueCertificate } from './certificates.ts';
import { inTransaction, type Queryable } from './connection.ts';
import {
  copyFiles,
  insertBatch,
  insertIntoBatch,
  insertSuppressions,
  selectBatches,
  selectFiles,
  selectSuppressions,
  selectTableWork,
  updateBatch,
  updateRemoved,
  upsertFiles,
  upsertTableWork,
} from './erasure-work.ts';
import {
  actOnRequest,
  insertRequest,
  selectRequest,
  selectRequests,
  selectValues,
  updateValues,
} from './erasures.ts';
import { selectCertificate, selectChain, selectChainCount } from './proofs.ts';

/** @param sealer throws `ConfigInvalid` where there is no key; asked for by writers alone */
export function createErasureLedger(
  pool: pg.Pool,
  db: Queryable,
  options: { readonly url: string; readonly sealer?: () => Sealer },
): ErasureLedger {
  const sealer = options.sealer ?? noSealer;
  const write = <T>(body: (tx: Queryable) => Promise<T>) => inTransaction(pool, options.url, body);
  return {
    openRequest: (request, values) => {
      const key = sealer();
      return write((tx) => insertRequest(tx, key, request, values));
    },
    readRequest: (requestId) => selectRequest(db, requestId),
    listRequests: (filter) => selectRequests(db, filter),
    actOn: (act) => write((tx) => actOnRequest(tx, sealer, act)),
    saveValues: (requestId, values) => write((tx) => updateValues(tx, requestId, values)),
    readValues: (requestId) => selectValues(db, requestId),
    openBatch: (batchId, openedAt) => insertBatch(db, batchId, openedAt),
    joinBatch: (requestId, batchId, at) =>
      write((tx) => insertIntoBatch(tx, { requestId, batchId, at })),
    listBatches: () => selectBatches(db),
    closeBatch: (batchId, closedAt) => updateBatch(db, batchId, closedAt),
    saveTableWork: (work) => upsertTableWork(db, work),
    listTableWork: (batchId) => selectTableWork(db, batchId),
    saveFiles: (files) => upsertFiles(db, files),
    carryFiles: (carried) => copyFiles(db, carried),
    listFiles: (filter) => selectFiles(db, filter),
    markRemoved: (batchId, hashes, at) => updateRemoved(db, batchId, hashes, at),
    suppress: (list) => insertSuppressions(db, list),
    listSuppressed: (subject) => selectSuppressions(db, subject),
    issueCertificate: (certificate, by, at) =>
      write((tx) => issueCertificate(tx, sealer(), certificate, { by, at })),
    readCertificate: (id) => selectCertificate(db, id),
    readChain: (after, limit) => selectChain(db, after, limit),
    countChain: () => selectChainCount(db),
  };
}

function noSealer(): never {
  throw new IcewrightError('Internal', 'this ledger was opened without a signing key');
}
