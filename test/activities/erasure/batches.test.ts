/** When a request begins, what it waits for, and with whom it is forgotten; on a ledger in memory. */
import { describe, expect, it } from 'vitest';
import { closeBatch, joinBatch, nextStep } from '../../../src/activities/erasure/batches.ts';
import { finishBatch } from '../../../src/activities/erasure/certify.ts';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import { lookAgain } from '../../../src/activities/erasure/find.ts';
import type { ErasureAct, ErasureFilter } from '../../../src/activities/erasure-ports.ts';
import type { Blocker, ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { applyAct } from '../../../src/domain/erasure/transitions.ts';
import { IcewrightError } from '../../../src/domain/errors.ts';
import { type TableRef, tableFromKey, tableKey } from '../../../src/domain/table.ts';
import { AT, erasureRequest } from '../../proof/fixture.ts';

const TABLE = 'lake.a.t';
const NOW_MS = Date.parse(AT);
const mapping = { table: TABLE, action: 'delete', because: null, match: {}, holds: {} } as const;
const subjectNamed = (name: string) => ({
  ...{ name, key: 'customer_id', sources: [], tables: [mapping] },
  identifiers: [{ name: 'customer_id', type: 'bigint', links: true, trace: false }],
});
const POLICY = { kind: 'privacy', subjects: [subjectNamed('customer'), subjectNamed('employee')] };

interface World {
  requests: ErasureRequest[];
  /** Refs of the table, with their snapshots; `null`: it cannot be read. */
  refs: Record<string, string> | null;
  properties: Record<string, string>;
  collectMs: number;
  batches: { batchId: string; openedAt: string; closedAt: string | null }[];
  woken: string[];
  started: string[];
}

function worldOf(...requests: ErasureRequest[]): World {
  const empty = { batches: [], woken: [], started: [], properties: {} };
  return { requests, refs: { main: '1' }, collectMs: 60_000, ...empty };
}

function depsOf(world: World): ErasureDeps {
  const find = (id: string) => world.requests.findIndex((one) => one.requestId === id);
  const measureTable = async (table: TableRef) => {
    if (world.refs === null) throw new IcewrightError('CatalogRejected', 'it is broken');
    const refs = Object.entries(world.refs).map(([name, snapshotId]) => ({
      ...{ name, snapshotId, type: name === 'main' ? 'branch' : 'tag' },
    }));
    const snapshots = Object.values(world.refs).map((snapshotId) => ({
      ...{ snapshotId, parentId: null, committedAtMs: NOW_MS, summary: {} },
    }));
    const { properties } = world;
    const location = 's3://lake/a/t';
    return { table: tableKey(table), location, snapshotId: '1', refs, snapshots, properties };
  };
  return {
    nowMs: () => NOW_MS,
    privacy: async () => [{ ...POLICY, collectMs: world.collectMs }],
    wake: async (id: string) => void world.woken.push(id),
    startBatch: async (id: string) => void world.started.push(id),
    project: { models: async () => [] },
    ledger: { latestReports: async () => [] },
    versions: { findLock: async () => null },
    files: {
      version: async () => ({ location: 's3://lake/a/t', properties: {} }),
      places: async () => ({ table: TABLE, places: ['s3://lake/a/t'] }),
    },
    catalog: {
      listTables: async () => [tableFromKey(TABLE)],
      tableExists: async () => true,
      measureTable,
    },
    erasures: {
      readRequest: async (id: string) => world.requests[find(id)] ?? null,
      listBatches: async () => world.batches,
      listTableWork: async () => [],
      openBatch: async (batchId: string, openedAt: string) =>
        void world.batches.push({ batchId, openedAt, closedAt: null }),
      closeBatch: async () => undefined,
      listRequests: async ({ batchId }: ErasureFilter) =>
        world.requests.filter((one) => one.batchId === batchId).reverse(),
      actOn: async ({ requestId, act, by, at }: ErasureAct) => {
        const result = applyAct(world.requests[find(requestId)] as ErasureRequest, act, { by, at });
        if (!result.ok) throw new IcewrightError('SafetyRefused', result.because);
        world.requests[find(requestId)] = result.request;
        return { acted: true, request: result.request };
      },
    },
  } as unknown as ErasureDeps;
}

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

  it('gives no certificate for a table that nobody read', async () => {
    const world = worldOf(erasureRequest({ state: 'verifying', batchId: 'b' }));
    await expect(finishBatch(depsOf(world), 'b')).rejects.toThrow(/was not read .*no certificate/);
    expect(world.requests[0]?.state).toBe('verifying');
  });
});
