/** The end of a batch: what has no proof gets no certificate, and says what becomes of it. */
import { describe, expect, it } from 'vitest';
import { finishBatch } from '../../../src/activities/erasure/certify.ts';
import type { TableProgress } from '../../../src/activities/erasure/work.ts';
import type { ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { AT, erasureRequest } from '../../proof/fixture.ts';
import { depsOf, PLACE, TABLE, type World, worldOf } from './world.ts';

const SEEN = [{ table: TABLE, tableUuid: 'u1', places: [PLACE], rows: 3, rowsElsewhere: 0 }];
const verifying = (own: Partial<ErasureRequest> = {}) =>
  erasureRequest({
    ...{ state: 'verifying', approvedBy: 'cli:ben', approvedAt: AT, approvedAccount: 'cli:ben' },
    ...{ forgettingAt: AT, batchId: 'b', batches: ['b'], seen: SEEN },
    ...own,
  });

function counted(change: Partial<TableProgress['oracle']> = {}): TableProgress {
  const oracle = { before: 9, matched: 3, after: 6, matchedAfter: 0 };
  return {
    ...{ tableUuid: 'u1', formatVersion: 2, snapshotBefore: '0', snapshotAfter: '1', head: '1' },
    oracle: { ...oracle, othersBefore: '5', othersAfter: '5', ...change },
    ...{ matched: 3, bytesRewritten: 10, snapshotsExpired: 2, refs: [] },
  };
}

const work = (batchId: string, table: string, document: object) => ({
  ...{ batchId, table, step: 'count', document: { ...document } },
});
const read = (requestId: string, batchId = 'b') =>
  work(batchId, `${TABLE}?${requestId}`, { table: TABLE, traces: [], tracesFound: 0, limits: [] });
const states = (world: World) => world.requests.map(({ state }) => state);

describe('a request', () => {
  it('whose table nobody read is done once more, and keeps no other from its end', async () => {
    const world = worldOf(verifying(), verifying({ requestId: 'e2' }));
    world.works = [work('b', TABLE, counted()), read('e2')];
    await finishBatch(depsOf(world), 'b');
    expect(states(world)).toEqual(['forgetting', 'done']);
    expect(world.requests[0]).toMatchObject({
      batchId: null,
      error: { code: 'SafetyRefused', message: expect.stringContaining('was not read by') },
    });
    expect(world.woken).toEqual(['e1', 'e2']);
  });

  it('of which nothing was forgotten is looked for again', async () => {
    const world = worldOf(verifying({ approvedBy: null, approvedAt: null, forgettingAt: null }));
    await finishBatch(depsOf(world), 'b');
    expect(world.requests[0]).toMatchObject({ state: 'requested', batchId: null });
  });

  it('whose table was not counted to its end is done once more', async () => {
    const world = worldOf(verifying());
    world.works = [work('b', TABLE, counted({ matchedAfter: 1 })), read('e1')];
    await finishBatch(depsOf(world), 'b');
    expect(states(world)).toEqual(['forgetting']);
  });
});

describe('a table that is gone', () => {
  const gone = (objects: string[], own: Partial<ErasureRequest> = {}) => {
    const world = worldOf(verifying(own));
    world.table = null;
    world.objects = objects;
    return world;
  };

  it('holds up the end while anything is left where it was, and says what to do', async () => {
    const world = gone([`${PLACE}/data/1.parquet`]);
    await expect(finishBatch(depsOf(world), 'b')).rejects.toThrow(/lake\.a\.t was there .* delete/);
    expect(world.requests[0]).toMatchObject({
      state: 'verifying',
      blockers: [{ kind: 'vanished', table: TABLE, name: 'u1', exception: null }],
    });
    expect(world.certificates).toEqual([]);
    world.objects = [];
    await finishBatch(depsOf(world), 'b');
    expect(states(world)).toEqual(['done']);
    expect(world.certificates[0]?.tables).toMatchObject([
      { table: TABLE, because: expect.stringContaining('gone since') },
    ]);
  });

  it('also where only a file outside of its place is left', async () => {
    const world = gone(['s3://lake/elsewhere/1.parquet']);
    const file = { batchId: 'b', table: TABLE, path: 's3://lake/elsewhere/1.parquet' };
    const rest = { pathHash: 'h', kind: 'data', bytes: 1, etag: null, removedAt: null } as const;
    world.files = [{ ...file, ...rest, versionIds: [] }];
    await expect(finishBatch(depsOf(world), 'b')).rejects.toThrow(/was there/);
  });

  it('is accepted where somebody has taken that on themselves', async () => {
    const exception = { by: 'cli:eve', because: 'court order' };
    const told = { table: TABLE, name: 'u1', because: '', remedy: '', exception };
    const world = gone([`${PLACE}/x`], { blockers: [{ ...told, kind: 'vanished' }] });
    await finishBatch(depsOf(world), 'b');
    expect(world.certificates[0]?.remains).toMatchObject([
      { where: `${TABLE}, vanished u1`, owner: 'cli:eve', because: 'court order' },
    ]);
  });

  it('is none where it only has another name that is mapped, or a new one has its place', async () => {
    const world = worldOf(verifying({ seen: [{ ...SEEN[0], table: 'lake.a.old' } as never] }));
    world.works = [work('b', TABLE, counted()), read('e1')];
    world.objects = [`${PLACE}/x`];
    await finishBatch(depsOf(world), 'b');
    expect(states(world)).toEqual(['done']);
    const anew = worldOf(verifying());
    Object.assign(anew, { works: world.works, objects: world.objects, uuid: 'u2' });
    await finishBatch(depsOf(anew), 'b');
    expect(states(anew)).toEqual(['done']);
  });

  it('is told where a new one of its name lies elsewhere', async () => {
    const seen = [
      { table: TABLE, tableUuid: 'u0', places: ['s3://lake/a/before'], rows: 3, rowsElsewhere: 0 },
    ];
    const world = worldOf(verifying({ seen }));
    world.works = [work('b', TABLE, counted()), read('e1')];
    world.objects = ['s3://lake/a/before/data/1.parquet'];
    await expect(finishBatch(depsOf(world), 'b')).rejects.toThrow(/was there/);
  });
});

it('tells of all tries: rows and sources of each, and how each counted', async () => {
  const world = worldOf(verifying({ batches: ['a', 'b'] }));
  const sources = (rowsRemoved: number) => ({
    sources: [{ name: 'shop', rowsRemoved, finishedAt: AT }],
  });
  const again = { before: 6, matched: 0, after: 6, matchedAfter: 0 };
  world.works = [
    work('a', TABLE, counted()),
    work('a', 'sources', sources(7)),
    work('b', TABLE, { ...counted(again), matched: 0, snapshotBefore: '1', snapshotAfter: '2' }),
    work('b', 'sources', sources(0)),
    read('e1'),
  ];
  await finishBatch(depsOf(world), 'b');
  expect(world.certificates[0]).toMatchObject({
    sources: [{ name: 'shop', rowsRemoved: 7 }],
    tables: [
      {
        ...{ rowsMatched: 3, snapshotBefore: '0', snapshotAfter: '2', bytesRewritten: 20 },
        oracle: { before: 9, matched: 3, after: 6 },
        otherTries: [{ before: 6, matched: 0, after: 6 }],
      },
    ],
  });
});
