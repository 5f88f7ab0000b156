/** Keys, requests and certificates for tests; the keys are made anew in each run. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { NewErasure } from '../../src/activities/erasure-ports.ts';
import type { Certificate } from '../../src/domain/erasure/certificate.ts';
import type { ErasureRequest } from '../../src/domain/erasure/request.ts';
import { readSigningKeys, type SigningKeys } from '../../src/proof/sign.ts';

/** A pair of PEM blocks. */
export function newPem(): { readonly secret: string; readonly open: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    open: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export function newSigningKeys(): SigningKeys {
  return readSigningKeys(newPem().secret, 'a test');
}

export function newHexKey(): string {
  return randomBytes(32).toString('hex');
}

export const AT = '2026-11-21T02:00:00.000Z';

export function newErasure(requestId: string, change: Partial<NewErasure> = {}): NewErasure {
  return {
    requestId,
    subject: 'customer',
    subjectHash: 'ab'.repeat(32),
    ground: 'Art. 17(1)(b)',
    requestedBy: 'cli:ana',
    requestedAt: AT,
    deadlineAt: '2026-12-21T02:00:00.000Z',
    ...change,
  };
}

export function erasureRequest(change: Partial<ErasureRequest> = {}): ErasureRequest {
  return {
    ...newErasure('e1'),
    state: 'requested',
    approvedBy: null,
    approvedAt: null,
    approvedAccount: null,
    hold: null,
    pausedBy: null,
    found: [],
    seen: [],
    sharedIdentifiers: [],
    blockers: [],
    forgettingAt: null,
    batchId: null,
    batches: [],
    certificateId: null,
    error: null,
    updatedAt: AT,
    ...change,
  };
}

const TABLES: Certificate['tables'] = [
  {
    table: 'lake.silver.orders',
    tableUuid: 'f2a1c0de-0000-4000-8000-000000000001',
    formatVersion: 2,
    action: 'delete',
    because: null,
    snapshotBefore: '9007199254740993',
    snapshotAfter: '9007199254740995',
    rowsMatched: 3,
    rowsElsewhere: 0,
    oracle: {
      before: 100,
      matched: 3,
      after: 97,
      matchedAfter: 0,
      othersBefore: '123456789012345678901',
      othersAfter: '123456789012345678901',
    },
    snapshotsExpired: 4,
    refs: [{ name: 'main', type: 'branch' }],
    filesRemoved: [
      { pathHash: 'ef'.repeat(32), kind: 'data', bytes: 1234, etag: '"e"', versions: 2 },
    ],
    bytesRewritten: 1000,
  },
  {
    table: 'lake.gold.daily_revenue',
    tableUuid: 'f2a1c0de-0000-4000-8000-000000000002',
    formatVersion: 2,
    action: 'keep',
    because: 'sums over days <are> nobody & no one',
    snapshotBefore: '1',
    snapshotAfter: '1',
    rowsMatched: 0,
    rowsElsewhere: 0,
    oracle: {
      before: 9,
      matched: 0,
      after: 9,
      matchedAfter: 0,
      othersBefore: '5',
      othersAfter: '5',
    },
    snapshotsExpired: 0,
    refs: [{ name: 'main', type: 'branch' }],
    filesRemoved: [],
    bytesRewritten: 0,
  },
];

export function certificate(change: Partial<Certificate> = {}): Certificate {
  return {
    format: 'icewright.erasure-certificate/1',
    certificateId: 'c1',
    requestId: 'e1',
    subject: 'customer',
    subjectHash: 'ab'.repeat(32),
    ground: 'Art. 17(1)(b)',
    requestedAt: AT,
    requestedBy: 'cli:ana',
    approvedBy: 'cli:ben',
    approvedAt: AT,
    deadlineAt: '2026-12-21T02:00:00.000Z',
    finishedAt: '2026-11-22T02:00:00.000Z',
    policyDigest: 'cd'.repeat(32),
    sources: [{ name: 'shop', rowsRemoved: 7, finishedAt: AT }],
    tables: TABLES,
    remains: [
      { where: 'kafka', owner: 'platform', because: '28 days', until: '2026-12-20T00:00:00.000Z' },
      { where: 'backups', owner: 'it', because: 'beyond use', until: null },
    ],
    verification: {
      reader: 'icewright second reader',
      startedAt: AT,
      finishedAt: AT,
      tables: [
        {
          table: 'lake.silver.orders',
          snapshotId: '9007199254740995',
          startedAt: AT,
          finishedAt: AT,
          objectsListed: 12,
          objectsRead: 12,
          bytesRead: 9999,
          rowsRead: 97,
          gone: 3,
          traces: [],
          tracesFound: 0,
          limits: [],
        },
      ],
    },
    ...change,
  };
}
