/** When a request begins, what it waits for, and with whom it is forgotten; on a ledger in memory. */
import { describe, expect, it } from 'vitest';
import { closeBatch, joinBatch, nextStep } from '../../../src/activities/erasure/batches.ts';
import { lookAgain } from '../../../src/activities/erasure/find.ts';
import { failBatch } from '../../../src/activities/erasure/tell.ts';
import type { Blocker, ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { AT, erasureRequest } from '../../proof/fixture.ts';
import { depsOf, TABLE, type World, worldOf } from './world.ts';

const blocker = (own: Partial<Blocker>): Blocker => ({
  ...{ table: TABLE, kind: 'tag', name: 'old', because: 'x', remedy: 'y', exception: null },
  ...own,
});
const found = [
  {
    table: TABLE,
    refs: [{ name: 'main', type: 'branch', rows: 3, files: 1, bytes: 9, snapshotId: '1' }],
  },
] as const;
const approved = (own: Partial<ErasureRequest> = {}) =>
  erasureRequest({
    ...{ state: 'awaiting_approval', approvedBy: 'cli:ben', approvedAt: AT, found },
    ...own,
  });
const stepOf = async (world: World) =>
  (await nextStep(depsOf(world), world.requests[0]?.requestId as string)).kind;

describe('a request', () => {
  it('joins once it is approved; a tag holds up its end only', async () => {
    expect(await stepOf(worldOf(approved({ approvedBy: null })))).toBe('wait');
    expect(await stepOf(worldOf(approved()))).toBe('join');
    const tagged = worldOf(approved({ blockers: [blocker({})] }));
    tagged.refs = { main: '1', old: '0' };
    expect(await stepOf(tagged)).toBe('join');
  });

  it('waits for what forbids forgetting, and goes on once that is settled', async () => {
    const world = worldOf(approved({ blockers: [blocker({ kind: 'gc_disabled', name: 'gc' })] }));
    world.properties = { 'gc.enabled': 'false' };
    expect(await stepOf(world)).toBe('wait');
    world.properties = {};
    expect(await stepOf(world)).toBe('join');
    expect(world.requests[0]?.blockers).toEqual([]);
  });

  it('forgets a blocker whose ref is gone', async () => {
    const world = worldOf(approved({ blockers: [blocker({})] }));
    await stepOf(world);
    expect(world.requests[0]?.blockers).toEqual([]);
  });

  it('of which a table could not be read is looked for again when it can', async () => {
    const world = worldOf(approved({ blockers: [blocker({ kind: 'unreachable', name: TABLE })] }));
    world.refs = null;
    expect(await stepOf(world)).toBe('wait');
    world.refs = { main: '1' };
    expect(await stepOf(world)).toBe('find');
    expect(world.requests[0]).toMatchObject({ state: 'requested', approvedBy: 'cli:ben' });
  });

  it('without rows is verified; with a table that cannot be read it is not', async () => {
    expect(await stepOf(worldOf(erasureRequest({ state: 'found' })))).toBe('join');
    const blockers = [blocker({ kind: 'unreachable', name: TABLE })];
    expect(await stepOf(worldOf(erasureRequest({ state: 'found', blockers })))).toBe('wait');
  });

  it('starts its batch again, should that have come to a sudden end', async () => {
    const world = worldOf(approved({ state: 'forgetting', batchId: 'b1' }));
    expect(await stepOf(world)).toBe('wait');
    expect(world.started).toEqual(['b1']);
  });

  it('is not looked for again where no ref has moved since', async () => {
    const world = worldOf(approved());
    await lookAgain(depsOf(world), world.requests);
    world.refs = { main: '2' };
    await expect(lookAgain(depsOf(world), world.requests)).rejects.toThrow();
  });
});

describe('a batch', () => {
  it('takes requests of one kind of subject', async () => {
    const world = worldOf(
      approved(),
      approved({ requestId: 'e2' }),
      approved({ requestId: 'e3', subject: 'employee' }),
    );
    for (const id of ['e1', 'e2', 'e3']) await joinBatch(depsOf(world), id);
    const [one, two, three] = world.requests.map(({ batchId }) => batchId);
    expect(two).toBe(one);
    expect(three).not.toBe(one);
  });

  it('that is just being opened, and tells no kind yet, takes the next one in, too', async () => {
    const world = worldOf(approved());
    world.batches.push({ batchId: 'fresh', openedAt: AT, closedAt: null });
    await joinBatch(depsOf(world), 'e1');
    expect(world.requests[0]?.batchId).toBe('fresh');
  });

  it('lets go of another kind that came in all the same, and of what is forbidden by now', async () => {
    const held = approved({ requestId: 'e3', batchId: 'b' });
    const world = worldOf(
      approved({ batchId: 'b' }),
      approved({ requestId: 'e2', batchId: 'b', subject: 'employee' }),
    );
    const closed = await closeBatch(depsOf(world), 'b');
    expect(closed).toMatchObject({ requestIds: ['e1'], tables: [TABLE], verified: [TABLE] });
    expect(world.requests[1]).toMatchObject({ batchId: null, state: 'awaiting_approval' });
    const forbidden = worldOf(held);
    forbidden.properties = { 'gc.enabled': 'false' };
    expect((await closeBatch(depsOf(forbidden), 'b')).requestIds).toEqual([]);
    expect(forbidden.woken).toEqual(['e3']);
    expect(forbidden.requests[0]?.blockers).toMatchObject([{ kind: 'gc_disabled' }]);
  });

  it('rewrites nothing where nothing is forgotten', async () => {
    const world = worldOf(erasureRequest({ state: 'found', batchId: 'b' }));
    expect(await closeBatch(depsOf(world), 'b')).toMatchObject({ tables: [], verified: [TABLE] });
  });

  it('that closes while a request joins it takes that one no more', async () => {
    const world = worldOf(approved());
    world.batches.push({ batchId: 'closing', openedAt: AT, closedAt: null });
    const deps = depsOf(world);
    const { joinBatch: join } = deps.erasures;
    const closing = async (requestId: string, batchId: string, at: string) => {
      for (const one of world.batches) if (one.batchId === 'closing') one.closedAt = at;
      return join(requestId, batchId, at);
    };
    await joinBatch({ ...deps, erasures: { ...deps.erasures, joinBatch: closing } }, 'e1');
    const { batchId } = world.requests[0] as ErasureRequest;
    expect(batchId).not.toBe('closing');
    expect(world.started).toEqual([batchId]);
  });

  it('is not started again for a request that failed', async () => {
    const error = { code: 'InvariantBroken', message: 'no' } as const;
    const world = worldOf(approved({ state: 'failed', forgettingAt: AT, batchId: 'b1', error }));
    expect(await stepOf(world)).toBe('wait');
    expect(world.started).toEqual([]);
  });

  it('takes over the files of earlier tries: of the same tables, whatever their names', async () => {
    const world = worldOf(
      approved({ state: 'forgetting', forgettingAt: AT, batchId: 'b3', batches: ['b1', 'b3'] }),
    );
    const work = (table: string, tableUuid: string) => ({
      ...{ batchId: 'b1', table, step: 'count', document: { tableUuid } },
    });
    world.works = [work('lake.a.before', 'u1'), work(TABLE, 'u0')];
    await closeBatch(depsOf(world), 'b3');
    expect(world.carried).toEqual([`b1 lake.a.before to b3 ${TABLE}`]);
  });

  it('reads what only one of its requests has given up', async () => {
    const exception = { by: 'cli:eve', because: 'tax law' };
    const given = [blocker({ kind: 'unreachable', name: TABLE, exception })];
    const forgetting = { state: 'forgetting', forgettingAt: AT, batchId: 'b' } as const;
    const world = worldOf(
      approved({ ...forgetting, blockers: given }),
      approved({ ...forgetting, requestId: 'e2' }),
    );
    expect((await closeBatch(depsOf(world), 'b')).tables).toEqual([TABLE]);
    expect(
      (await closeBatch(depsOf(worldOf(world.requests[0] as ErasureRequest)), 'b')).tables,
    ).toEqual([]);
  });

  it('whose counts are wrong fails its requests', async () => {
    const world = worldOf(approved({ state: 'forgetting', forgettingAt: AT, batchId: 'b' }));
    await failBatch(depsOf(world), 'b', { code: 'InvariantBroken', message: 'others changed' });
    expect(world.requests[0]).toMatchObject({
      ...{ state: 'failed', error: { code: 'InvariantBroken', message: 'others changed' } },
    });
    expect(world.woken).toEqual(['e1']);
  });
});
