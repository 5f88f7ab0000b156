/**
 * The object store refuses to delete, a file is forgotten: requests say what they wait for or what
 * was found, and never end without proof.
 */
import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './command-line.ts';
import { makePeople, peoplePolicy } from './erasure-people.ts';
import {
  approve,
  ask,
  certificateOf,
  type Office,
  openOffice,
  readRequest,
  untilState,
} from './erasure-support.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

const TABLE = 'lake.er_faults.one';

let office: Office;
let proxy: FaultProxy;

beforeAll(async () => {
  proxy = await startFaultProxy(process.env.ICEWRIGHT_S3_ENDPOINT ?? '');
  const env = { ICEWRIGHT_S3_ENDPOINT: proxy.url };
  office = await openOffice('faults', { policy: peoplePolicy([TABLE]), env });
  await makePeople(office, { table: TABLE, version: 2, deletes: 'merge-on-read' });
  await office.startWorker();
});
afterAll(async () => {
  await office?.lake.spark(`DROP TABLE IF EXISTS ${TABLE}`);
  await office?.close();
  await proxy?.close();
});

it('the store refuses to delete: the request says so, waits, and goes on', async () => {
  const { requestId } = await ask(office, '1000013');
  let refusing = true;
  proxy.use(({ method, body }) =>
    refusing && method === 'POST' && body.includes('<Delete')
      ? { kind: 'refuse', status: 503 }
      : null,
  );
  expect((await approve(office, requestId)).exitCode).toBe(0);
  const waiting = await until(async () => {
    const request = await readRequest(office, requestId);
    return request.error === null ? null : request;
  });
  expect([waiting.state, waiting.error?.code]).toEqual(['forgetting', 'StorageUnavailable']);
  refusing = false;
  await office.succeed(['erase', 'retry', requestId]);
  await untilState(office, requestId, ['done']);
});

it('one forgotten file, and the request fails with the hash of its path', async () => {
  const key = 'er_faults/one/data/forgotten.bin';
  const person = await office.lake.spark(
    `SELECT email FROM ${TABLE} WHERE customer_id = 1000017 LIMIT 1`,
  );
  const Body = `left behind: ${person[0]?.email}`;
  await office.s3.send(new PutObjectCommand({ Bucket: office.bucket, Key: key, Body }));
  const { requestId } = await ask(office, '1000017');
  await approve(office, requestId);
  const failed = await until(async () => {
    const request = await readRequest(office, requestId);
    expect(request.state).not.toBe('done');
    return request.state === 'failed' ? request : null;
  });
  const hash = createHash('sha256').update(`${office.base}/${key}`).digest('hex');
  expect(failed.error?.message).toContain(hash);
  expect(failed.error?.message).not.toContain('forgotten.bin');
  const versions = [];
  for await (const one of office.store.listVersions(`${office.base}/${key}`)) versions.push(one);
  expect(await office.store.delete(versions)).toEqual([]);
  const removed = await removedFiles(requestId);
  expect(removed.length).toBeGreaterThan(0);
  await office.succeed(['erase', 'retry', requestId]);
  await untilState(office, requestId, ['done']);
  // What the first try did is in the certificate, and none of its paths is left in the ledger.
  const { certificate } = await certificateOf(office, requestId);
  const [told] = certificate.tables;
  expect(told?.rowsMatched).toBeGreaterThan(0);
  expect(told?.oracle.matched).toBe(told?.rowsMatched);
  expect(told?.otherTries).toMatchObject([{ matched: 0, matchedAfter: 0 }]);
  const hashes = told?.filesRemoved.map((one) => one.pathHash) ?? [];
  expect(hashes).toEqual(expect.arrayContaining([...removed]));
  const left = await office.sql(
    'SELECT count(*)::int AS n FROM icewright.erasure_file WHERE path IS NOT NULL',
  );
  expect(left).toEqual([{ n: 0 }]);
});

async function removedFiles(requestId: string): Promise<readonly string[]> {
  const { batchId } = await readRequest(office, requestId);
  const rows = await office.sql(
    `SELECT path_hash FROM icewright.erasure_file
     WHERE batch_id = '${batchId}' AND removed_at IS NOT NULL`,
  );
  return rows.map((row) => String(row.path_hash));
}
