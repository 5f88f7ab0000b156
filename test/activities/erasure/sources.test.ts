/** Sources tell what they know a subject by before they forget it; on a ledger in memory. */
import { describe, expect, it } from 'vitest';
import { lookAgainAll } from '../../../src/activities/erasure/blocked.ts';
import type { ErasureDeps, TellingRow } from '../../../src/activities/erasure/deps.ts';
import { forgetSources, ingestionsUnderWay } from '../../../src/activities/erasure/sources.ts';
import { readSources } from '../../../src/activities/erasure/work.ts';
import type { ErasureAct, Suppression, TableWork } from '../../../src/activities/erasure-ports.ts';
import type { SubjectValues } from '../../../src/domain/erasure/privacy.ts';
import type { ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { applyAct } from '../../../src/domain/erasure/transitions.ts';
import { tableFromKey } from '../../../src/domain/table.ts';
import { AT, erasureRequest } from '../../proof/fixture.ts';

const NOW_MS = Date.parse(AT);
const ref = { name: 'main', type: 'branch', rows: 1, files: 1, bytes: 1, snapshotId: '1' } as const;
const links = (name: string) => ({ name, type: 'bigint', links: true, trace: false });

interface Scene {
  /** What the sources answer, each time that they are asked. */
  readonly told?: readonly (readonly TellingRow[])[];
  readonly removed?: Readonly<Record<string, readonly number[]>>;
  readonly runs?: readonly { readonly startedAt: string | null }[];
}

function sceneOf({ told = [], removed = {}, runs = [] }: Scene) {
  let request: ErasureRequest = erasureRequest({
    ...{ state: 'forgetting', batchId: 'b', found: [{ table: 'lake.a.t', refs: [ref] }] },
  });
  let values: SubjectValues = { customer_id: ['42'], order_id: ['1'] };
  let work: TableWork | null = null;
  const asked: string[] = [];
  const suppressed: Suppression[] = [];
  const answers = [...told];
  const rows = Object.fromEntries(Object.entries(removed).map(([name, list]) => [name, [...list]]));
  const source = (name: string) => ({ name, kind: 'postgres', forget: ['x'] });
  const deps = {
    nowMs: () => NOW_MS,
    privacy: async () => [
      {
        subjects: [
          {
            ...{ name: 'customer', key: 'customer_id', tables: [] },
            identifiers: [links('customer_id'), links('order_id')],
            sources: Object.keys(removed).map(source),
          },
        ],
      },
    ],
    hasher: () => ({ hash: (_s: string, _i: string, value: string) => value, keyOf: () => 'k' }),
    seal: (_id: string, sealed: SubjectValues) => sealed,
    open: (_id: string, sealed: SubjectValues) => sealed,
    project: {
      models: async () => [{ sources: ['shop'], target: tableFromKey('lake.bronze.raw') }],
    },
    ledger: { listRuns: async () => runs.map((one) => ({ ...one, table: 'lake.bronze.raw' })) },
    catalog: { listTables: async () => [] },
    sources: {
      tell: async () => {
        asked.push('tell');
        return answers.shift() ?? [];
      },
      suppress: async () => void asked.push('suppress'),
      forget: async ({ name }: { name: string }, known: SubjectValues) => {
        asked.push(`forget ${known.order_id?.join()}`);
        const rowsRemoved = rows[name]?.shift();
        if (rowsRemoved === undefined) throw new Error('away');
        return { rowsRemoved, told: [] };
      },
    },
    erasures: {
      listRequests: async () => [request],
      readValues: async () => values,
      saveValues: async (_id: string, sealed: SubjectValues) => {
        values = sealed;
      },
      suppress: async (list: readonly Suppression[]) => void suppressed.push(...list),
      listTableWork: async () => (work === null ? [] : [work]),
      saveTableWork: async (one: TableWork) => {
        work = one;
      },
      actOn: async ({ act, ...who }: ErasureAct) => {
        const result = applyAct(request, act, who);
        if (!result.ok) throw new Error(result.because);
        request = result.request;
        return { acted: true, request };
      },
    },
  } as unknown as ErasureDeps;
  return { deps, asked, suppressed, values: () => values, request: () => request };
}

describe('a source', () => {
  it('tells, then suppresses, then forgets also by what it told; the lake is looked at again', async () => {
    const scene = sceneOf({
      told: [[{ customer_id: '42', order_id: '9' }]],
      removed: { shop: [5] },
    });
    expect(await forgetSources(scene.deps, 'b')).toBe(true);
    expect(scene.asked).toEqual(['tell', 'suppress', 'forget 1,9']);
    expect(scene.values().order_id).toEqual(['1', '9']);
    expect(scene.suppressed.map(({ hash }) => hash)).toEqual(['42', '1', '9']);
    expect(scene.request().found[0]?.refs[0]).toMatchObject({ rows: 1 });
    expect(scene.request().found[0]?.refs[0]?.snapshotId).toBeUndefined();
  });

  it('that tells what is known, and of others, tells nothing new', async () => {
    const rows = [
      { customer_id: '42', order_id: '1' },
      { customer_id: '43', order_id: '7' },
    ];
    const scene = sceneOf({ told: [rows], removed: { shop: [5] } });
    expect(await forgetSources(scene.deps, 'b')).toBe(false);
    expect(scene.values().order_id).toEqual(['1']);
    expect(scene.request().found[0]?.refs[0]?.snapshotId).toBe('1');
  });

  it('must say whose its rows are', async () => {
    const scene = sceneOf({ told: [[{ order_id: '9' }]], removed: { shop: [5] } });
    await expect(forgetSources(scene.deps, 'b')).rejects.toThrow(/rows without customer_id/);
    expect(scene.asked).toEqual(['tell']);
  });

  it('keeps what it removed counted, whichever source fails afterwards', async () => {
    const scene = sceneOf({ removed: { a: [3, 0, 0], b: [4, 1] } });
    await forgetSources(scene.deps, 'b');
    await forgetSources(scene.deps, 'b');
    await expect(forgetSources(scene.deps, 'b')).rejects.toThrow('away');
    const counted = await readSources(scene.deps, 'b');
    expect(counted.map(({ name, rowsRemoved }) => [name, rowsRemoved])).toEqual([
      ['a', 3],
      ['b', 5],
    ]);
  });
});

describe('looking again', () => {
  it('asks the sources once more, and looks again as long as they tell anything', async () => {
    const told = [[], [{ customer_id: '42', order_id: '9' }], []];
    const scene = sceneOf({ told, removed: { shop: [5, 1, 0] } });
    await forgetSources(scene.deps, 'b');
    await lookAgainAll(scene.deps, 'b');
    expect(scene.asked.filter((one) => one === 'tell')).toHaveLength(3);
    expect(scene.values().order_id).toEqual(['1', '9']);
  });

  it('gives up, with the reason, where there is no end to it', async () => {
    const told = ['7', '8', '9'].map((order_id) => [{ customer_id: '42', order_id }]);
    const scene = sceneOf({ told, removed: { shop: [1, 1, 1] } });
    await expect(lookAgainAll(scene.deps, 'b')).rejects.toThrow(/tells more identifiers/);
  });
});

it.each([
  ['before the source forgot', new Date(NOW_MS - 5_000).toISOString(), true],
  ['long after', new Date(NOW_MS + 600_000).toISOString(), false],
  ['not at all yet', null, false],
])('an ingestion that began %s is waited for: %s', async (_, startedAt, isWaitedFor) => {
  const scene = sceneOf({ removed: { shop: [5] }, runs: [{ startedAt }] });
  await forgetSources(scene.deps, 'b');
  expect(await ingestionsUnderWay(scene.deps, 'b')).toEqual(isWaitedFor ? ['lake.bronze.raw'] : []);
});
