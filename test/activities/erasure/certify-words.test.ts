/** What a certificate says of tables, of the time of reading, and of what it cannot say. */
import { expect, it } from 'vitest';
import { finishBatch } from '../../../src/activities/erasure/certify.ts';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import type { Certificate } from '../../../src/domain/erasure/certificate.ts';
import type { ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import { AT, certificate, erasureRequest } from '../../proof/fixture.ts';

const [READ, LOST, GONE] = ['lake.a.read', 'lake.a.lost', 'lake.a.gone'];
const [seen] = certificate().verification.tables;
const [done] = certificate().tables;
const LATER = '2026-11-21T05:00:00.000Z';
const READ_AT = { startedAt: '2026-11-21T03:00:00.000Z', finishedAt: '2026-11-21T04:00:00.000Z' };

const blocker: ErasureRequest['blockers'][number] = {
  ...{ table: LOST, kind: 'unreachable', name: 'metadata', because: '', remedy: '' },
  exception: { by: 'cli:eve', because: 'lost' },
} as ErasureRequest['blockers'][number];
const inRef = (name: string, rows: number) => {
  return { name, type: name === 'main' ? 'branch' : 'tag', rows, files: 1, bytes: 1 } as const;
};

/** The certificate of a batch of one request. */
async function certify(
  change: Partial<ErasureRequest>,
  forgotten: boolean,
): Promise<Certificate | undefined> {
  const request = erasureRequest({ state: 'verifying', batchId: 'b', ...change });
  const tables = [READ, LOST, GONE].map((table) => {
    return { table, action: 'delete', because: null, match: {}, holds: {} };
  });
  const work = [
    { table: `${READ}?${request.requestId}`, document: { ...seen, ...READ_AT, table: READ } },
    ...(forgotten ? [{ table: READ, document: { ...done, head: null, matched: 3 } }] : []),
  ];
  let issued: Certificate | undefined;
  const deps = {
    nowMs: () => Date.parse(LATER),
    privacy: async () => [{ sinks: [], subjects: [{ name: 'customer', tables }] }],
    catalog: {
      listTables: async () => [],
      tableExists: async ({ name }: { name: string }) => name !== 'gone',
      measureTable: async () => {
        throw new IcewrightError('TableNotFound', 'there is no such table');
      },
    },
    wake: async () => undefined,
    erasures: {
      listRequests: async () => [request],
      actOn: async () => ({ acted: true, request }),
      listTableWork: async () => work,
      listFiles: async () => [],
      issueCertificate: async (one: Certificate) => {
        issued = one;
      },
    },
  } as unknown as ErasureDeps;
  await finishBatch(deps, 'b');
  return issued;
}

const reasons = (one: Certificate | undefined) =>
  one?.tables.map(({ table, action, because }) => [table, action, because]);

it('says of each table that nothing was done to why, and when the rest was read', async () => {
  const told = await certify({ blockers: [blocker] }, false);
  expect(reasons(told)).toEqual([
    [READ, 'none', 'nothing of the subject was in it'],
    [LOST, 'none', 'it cannot be read: nobody knows whether it holds the subject'],
    [GONE, 'none', 'it does not exist'],
  ]);
  expect(told?.verification).toMatchObject(READ_AT);
});

it('counts rows of tags and branches, and tells of values that were left out', async () => {
  const found = [{ table: READ, refs: [inRef('main', 0), inRef('old', 2), inRef('older', 3)] }];
  const change = { found, sharedIdentifiers: ['full_name'], blockers: [blocker] };
  const told = await certify({ ...change, forgettingAt: AT, approvedBy: 'cli:ben' }, true);
  expect(told?.tables[0]).toMatchObject({ table: READ, rowsMatched: 0, rowsElsewhere: 5 });
  expect(told?.verification.tables[0]?.limits).toEqual([
    { kind: 'shared_value', identifier: 'full_name', objects: 0 },
  ]);
});
