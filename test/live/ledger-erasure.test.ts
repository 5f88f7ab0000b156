/** Requests, their values, and the chain of proof, on a real PostgreSQL. */
import { describe, expect, test } from 'vitest';
import type { ErasureFile } from '../../src/activities/erasure-ports.ts';
import { openValues, readKeyring, sealValues } from '../../src/proof/keyring.ts';
import { verifyChain } from '../../src/proof/verify.ts';
import { erasureRequests } from '../ledger/erasure-requests.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';
import { AT, certificate, newErasure, newHexKey, newSigningKeys } from '../proof/fixture.ts';

const signing = newSigningKeys();
const keyring = readKeyring(`k1:${newHexKey()}`, 'a test');
const VALUES = { customer_id: ['42'], email: ['ana@example.org'] };
const own = useOwnLedger('erasure', {
  sealer: () => {
    if (signing.sealer === null) throw new Error('no private key');
    return signing.sealer;
  },
});

const { open, act, move, openVerifying, finish } = erasureRequests(own, (requestId) =>
  sealValues(keyring, requestId, VALUES),
);

const file = (batchId: string, pathHash: string): ErasureFile => ({
  batchId,
  table: 'lake.silver.orders',
  pathHash,
  path: `s3://lake/orders/customer_id=42/${pathHash}.parquet`,
  kind: 'data',
  bytes: 5_000_000_000,
  etag: '"e"',
  versionIds: ['v1', 'v2'],
  removedAt: null,
});

describe('a request', () => {
  test('is opened once, with its values encrypted and its event in the chain', async () => {
    const opened = await open('r1');
    expect(opened).toMatchObject({ ...newErasure('r1'), state: 'requested', forgettingAt: null });
    const again = await own.ledger.erasures.openRequest(
      { ...newErasure('r1'), ground: 'other' },
      sealValues(keyring, 'r1', {}),
    );
    expect(again).toEqual(opened);
    const sealed = await own.ledger.erasures.readValues('r1');
    expect(sealed === null ? null : openValues(keyring, 'r1', sealed)).toEqual(VALUES);
    const chain = await own.ledger.erasures.readChain(0, 100);
    expect(chain.map((one) => JSON.parse(one.document))).toEqual([
      {
        act: 'open',
        at: AT,
        by: 'cli:ana',
        error: null,
        format: 'icewright.erasure-event/1',
        from: null,
        requestId: 'r1',
        to: 'requested',
      },
    ]);
  });

  test('moves on from where a step thinks it is, once', async () => {
    const moved = await act('r1', { kind: 'move', to: 'found' }, 'workflow', ['requested']);
    expect([moved.acted, moved.request.state]).toEqual([true, 'found']);
    const repeated = await act('r1', { kind: 'move', to: 'found' }, 'workflow', ['requested']);
    expect([repeated.acted, repeated.request.state]).toEqual([false, 'found']);
    expect(await own.ledger.erasures.readChain(1, 100)).toHaveLength(1);
    await expect(act('none', { kind: 'pause' })).rejects.toMatchObject({ code: 'RunNotFound' });
  });

  test('is not approved by whoever asked for it, and the refusal leaves no entry', async () => {
    await move('r1', 'awaiting_approval');
    const before = await own.ledger.erasures.countChain();
    await expect(act('r1', { kind: 'approve' }, 'api:Ana')).rejects.toMatchObject({
      code: 'SafetyRefused',
      message: expect.stringContaining('a second person must'),
    });
    expect(await own.ledger.erasures.countChain()).toBe(before);
    await act('r1', { kind: 'approve' }, 'cli:ben');
    await act('r1', { kind: 'approve' }, 'cli:ben');
    expect(await own.ledger.erasures.countChain()).toBe(before + 1);
    const { request } = await act('r1', { kind: 'hold', because: 'court' }, 'cli:eve');
    expect(request).toMatchObject({ approvedBy: 'cli:ben', hold: { by: 'cli:eve' } });
    await expect(move('r1', 'forgetting')).rejects.toThrow(/a legal hold stands/);
  });

  test('keeps an exception that came while a step looked, and who acted with which account', async () => {
    const { erasures } = own.ledger;
    const told = { table: 't', kind: 'tag', name: 'old', because: 'x', remedy: 'y' } as const;
    const seen = [{ ...told, exception: null }];
    await act('r1', { kind: 'amend', patch: { blockers: seen } });
    await erasures.actOn({
      ...{ requestId: 'r1', by: 'cli:eve', account: 'cli:ana', at: AT },
      act: { kind: 'except', blocker: told, because: 'tax law' },
    });
    await act('r1', { kind: 'amend', patch: { blockers: seen } });
    expect((await erasures.readRequest('r1'))?.blockers).toEqual([
      { ...told, exception: { by: 'cli:eve', because: 'tax law' } },
    ]);
    const last = (await erasures.readChain(0, 1_000)).at(-1);
    expect(JSON.parse(last?.document ?? '')).toMatchObject({
      ...{ act: 'except', by: 'cli:eve', account: 'cli:ana' },
    });
  });

  test('loses its values when it ends, and takes none afterwards', async () => {
    await move('r1', 'cancelled');
    expect(await own.ledger.erasures.readValues('r1')).toBeNull();
    const values = sealValues(keyring, 'r1', VALUES);
    await expect(own.ledger.erasures.saveValues('r1', values)).rejects.toThrow(/it has ended/);
    await expect(move('r1', 'found')).rejects.toThrow(/it has ended: cancelled/);
  });

  test('is not done without a certificate that was issued for it', async () => {
    await openVerifying('r2', 'b2');
    await expect(move('r2', 'done')).rejects.toThrow(/it has no certificate/);
    await expect(move('r2', 'done', { certificateId: 'made-up' })).rejects.toThrow(
      /certificate made-up of it was not issued/,
    );
    expect(await own.ledger.erasures.readValues('r2')).not.toBeNull();
    await finish('r2');
    expect(await own.ledger.erasures.readRequest('r2')).toMatchObject({
      state: 'done',
      certificateId: 'c-r2',
      forgettingAt: AT,
      batchId: 'b2',
    });
    await expect(
      own.sql(`update icewright.erasure_request set certificate_id = null where request_id = 'r2'`),
    ).rejects.toThrow(/violates check constraint/);
  });

  test('is found by state, subject and batch, newest first', async () => {
    const { erasures } = own.ledger;
    const ids = async (filter: object) =>
      (await erasures.listRequests({ ...filter, limit: 10 })).map((one) => one.requestId);
    expect(await ids({})).toEqual(['r2', 'r1']);
    expect(await ids({ states: ['cancelled'] })).toEqual(['r1']);
    expect(await ids({ batchId: 'b2' })).toEqual(['r2']);
    expect(await ids({ subjectHash: '00' })).toEqual([]);
  });
});

describe('the work of a batch', () => {
  test('keeps paths while one of its requests is open, hashes for good', async () => {
    const { erasures } = own.ledger;
    await openVerifying('r3', 'b3');
    await openVerifying('r4', 'b3');
    await erasures.saveFiles([file('b3', 'aa'), file('b3', 'bb')]);
    await erasures.markRemoved('b3', ['aa'], AT);
    await erasures.saveFiles([{ ...file('b3', 'aa'), versionIds: ['v3'] }]);
    const removed = await erasures.listFiles({ batchId: 'b3', removed: true, limit: 10 });
    const versionIds = ['v1', 'v2', 'v3'];
    expect(removed).toEqual([{ ...file('b3', 'aa'), versionIds, removedAt: AT }]);
    const page = await erasures.listFiles({ batchId: 'b3', after: 'aa', limit: 10 });
    expect(page.map((one) => one.pathHash)).toEqual(['bb']);
    await finish('r3');
    const half = await erasures.listFiles({ batchId: 'b3', limit: 10 });
    expect(half.map((one) => one.path === null)).toEqual([false, false]);
    await finish('r4');
    const gone = await erasures.listFiles({ batchId: 'b3', limit: 10 });
    expect(gone.map((one) => [one.pathHash, one.path])).toEqual([
      ['aa', null],
      ['bb', null],
    ]);
  });

  test('of tables moves on; a closed batch stays closed', async () => {
    const { erasures } = own.ledger;
    const work = { batchId: 'b3', table: 'lake.silver.orders', step: 'delete', document: { n: 1 } };
    await erasures.saveTableWork(work);
    await erasures.saveTableWork({ ...work, step: 'expire', document: { n: 2 } });
    expect(await erasures.listTableWork('b3')).toEqual([
      { ...work, step: 'expire', document: { n: 2 } },
    ]);
    await erasures.closeBatch('b3', AT);
    await erasures.closeBatch('b3', '2027-01-01T00:00:00.000Z');
    const batches = await erasures.listBatches();
    expect(batches.find((one) => one.batchId === 'b3')?.closedAt).toBe(AT);
  });

  test('ends in a list of who must not come back', async () => {
    const one = { subject: 'customer', identifier: 'email', hash: 'aa', requestId: 'r3' };
    await own.ledger.erasures.suppress([one, { ...one, hash: 'bb' }]);
    await own.ledger.erasures.suppress([{ ...one, requestId: 'r4' }]);
    expect(await own.ledger.erasures.listSuppressed('customer')).toEqual([
      one,
      { ...one, hash: 'bb' },
    ]);
  });
});

describe('the chain', () => {
  test('has no gap however many append at once, and every entry is signed', async () => {
    const ids = Array.from({ length: 20 }, (_, at) => `many-${at}`);
    await Promise.all(ids.map(open));
    const { erasures } = own.ledger;
    const chain = await erasures.readChain(0, 1_000);
    expect(chain.map((one) => one.entry)).toEqual(chain.map((_, at) => at + 1));
    expect(await erasures.countChain()).toBe(chain.length);
    const { faults } = await verifyChain(chain, signing.publicKeys, chain.length);
    expect(faults).toEqual([]);
  });

  test('gives one certificate for a request, however often it is asked for', async () => {
    const { erasures } = own.ledger;
    await open('r5');
    const wanted = certificate({ requestId: 'r5', certificateId: 'c5' });
    const before = await erasures.countChain();
    await expect(erasures.issueCertificate(wanted, 'workflow', AT)).rejects.toThrow(/refused/);
    expect([await erasures.readCertificate('r5'), await erasures.countChain()]).toEqual([
      null,
      before,
    ]);
    await move('r5', 'found');
    await move('r5', 'verifying');
    const issued = await Promise.all([
      erasures.issueCertificate(wanted, 'workflow', AT),
      erasures.issueCertificate({ ...wanted, certificateId: 'c6' }, 'workflow', AT),
    ]);
    expect(issued[1]).toEqual(issued[0]);
    expect((await erasures.readRequest('r5'))?.state).toBe('done');
    expect(await erasures.readCertificate('r5')).toEqual(issued[0]);
    const id = issued[0]?.certificate.certificateId ?? '';
    expect(await erasures.readCertificate(id)).toEqual(issued[0]);
    expect(await erasures.readCertificate('nobody')).toBeNull();
  });

  test.each([
    [`update icewright.proof set document = '{}' where entry = 1`, /proof is append-only: update/],
    ['delete from icewright.proof', /proof is append-only: delete/],
    ['truncate icewright.proof', /proof is append-only: truncate/],
    [
      `set session_replication_role = replica; delete from icewright.proof`,
      /proof is append-only: delete/,
    ],
    [
      `insert into icewright.proof select entry + 7, document, previous, digest, key_id, public_key,
       signature from icewright.proof where entry = 1`,
      /does not follow the last one/,
    ],
    [
      `insert into icewright.proof select entry + 1, '{"requestId":"x","at":"y"}', digest, digest,
       key_id, public_key, signature from icewright.proof order by entry desc limit 1`,
      /is not that of its document/,
    ],
  ])('%s is refused by the database', async (text, message) => {
    await expect(own.sql(text)).rejects.toThrow(message);
  });

  test('a user who owns the tables and is no superuser may not even try', async () => {
    const [row] = await own.sql(
      `select relacl::text as acl from pg_class where oid = 'icewright.proof'::regclass`,
    );
    // a: insert, r: select; w, d, D would be update, delete, truncate.
    expect(row?.acl).toMatch(/tester=[^wdD/]+\//);
  });

  test('nothing of a subject is in the ledger in clear', async () => {
    const tables = ['erasure_request', 'erasure_subject', 'erasure_table', 'proof', 'suppression'];
    for (const table of tables) {
      const rows = await own.sql(`select t::text as line from icewright.${table} t`);
      for (const { line } of rows) expect(String(line)).not.toContain('ana@example.org');
    }
  });
});
