/** Batches of requests that fail and are tried again, and that close, on a real PostgreSQL. */
import { expect, test } from 'vitest';
import type { ErasureFile } from '../../src/activities/erasure-ports.ts';
import { erasureRequests } from '../ledger/erasure-requests.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';
import { AT, newSigningKeys } from '../proof/fixture.ts';

const { sealer } = newSigningKeys();
if (sealer === null) throw new Error('no private key');
const own = useOwnLedger('tries', { sealer: () => sealer });

const { open, move, openVerifying, finish } = erasureRequests(own, () => ({
  keyId: 'k',
  bytes: Buffer.from('x'),
}));

const file = (batchId: string, pathHash: string): ErasureFile => ({
  ...{ batchId, table: 'lake.silver.orders', pathHash, path: `s3://lake/orders/${pathHash}` },
  ...{ kind: 'data', bytes: 1, etag: '"e"', versionIds: ['v1', 'v2'], removedAt: null },
});

test('stays with whoever was ever in it: a retry keeps its paths, and takes them along', async () => {
  const { erasures } = own.ledger;
  await openVerifying('r6', 'b6');
  await openVerifying('r7', 'b6');
  await erasures.saveFiles([file('b6', 'aa'), file('b6', 'bb')]);
  await erasures.markRemoved('b6', ['aa'], AT);
  await move('r6', 'failed', { error: { code: 'InvariantBroken', message: 'no' } });
  await move('r6', 'forgetting', { batchId: null });
  await finish('r7');
  const paths = async (batchId: string) =>
    (await erasures.listFiles({ batchId, limit: 10 })).map((one) => one.path !== null);
  expect(await paths('b6')).toEqual([true, true]);
  await erasures.openBatch('b7', AT);
  expect(await erasures.joinBatch('r6', 'b7', AT)).toBe(true);
  await erasures.saveFiles([{ ...file('b7', 'aa'), versionIds: ['v9'] }]);
  const table = 'lake.silver.orders';
  const carried = { from: { batchId: 'b6', table }, to: { batchId: 'b7', table } };
  for (const _again of [1, 2]) await erasures.carryFiles(carried);
  const other = { ...carried.from, table: 'lake.silver.other' };
  await erasures.carryFiles({ ...carried, from: other });
  const there = await erasures.listFiles({ batchId: 'b7', limit: 10 });
  expect(there.map((one) => [one.pathHash, one.versionIds, one.removedAt])).toEqual([
    ['aa', ['v1', 'v2', 'v9'], AT],
    ['bb', ['v1', 'v2'], null],
  ]);
  expect((await erasures.readRequest('r6'))?.batches).toEqual(['b6', 'b7']);
  await move('r6', 'verifying');
  await finish('r6');
  expect([await paths('b6'), await paths('b7')]).toEqual([
    [false, false],
    [false, false],
  ]);
});

test('takes nobody once it is closed, whichever comes first', async () => {
  const { erasures } = own.ledger;
  await open('r8');
  await erasures.openBatch('b8', AT);
  const [joined] = await Promise.all([
    erasures.joinBatch('r8', 'b8', AT),
    erasures.closeBatch('b8', AT),
  ]);
  const batchId = (await erasures.readRequest('r8'))?.batchId;
  expect(batchId).toBe(joined ? 'b8' : null);
  await open('r9');
  expect(await erasures.joinBatch('r9', 'b8', AT)).toBe(false);
  expect(await erasures.joinBatch('r9', 'unknown', AT)).toBe(false);
  expect(await erasures.readRequest('r9')).toMatchObject({ batchId: null, batches: [] });
});
