/** Refs that hold up the end of a request: those that do not descend from what an erasure left. */
import { expect, it } from 'vitest';
import { findBlocked } from '../../../src/activities/erasure/blocked.ts';
import { refBlocker } from '../../../src/activities/erasure/blockers.ts';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import type { ErasureAct } from '../../../src/activities/erasure-ports.ts';
import type { ErasureRequest } from '../../../src/domain/erasure/request.ts';
import { applyAct } from '../../../src/domain/erasure/transitions.ts';
import { erasureRequest } from '../../proof/fixture.ts';

const TABLE = 'lake.a.t';
const found = [
  { table: TABLE, refs: [{ name: 'main', type: 'branch', rows: 1, files: 1, bytes: 1 }] },
] as const;

/** Main is at 9, after another erasure round than the one that left 5; 5 itself is expired. */
async function blockedBy(
  snapshots: Readonly<Record<string, string | null>>,
  ref: string,
  request: Partial<ErasureRequest> = {},
  work: readonly object[] = [{ table: TABLE, document: { matched: 1, clean: ['5', '9'] } }],
): Promise<readonly [readonly string[], readonly string[]]> {
  let now = erasureRequest({ state: 'forgetting', found, batchId: 'b', ...request });
  const health = {
    table: TABLE,
    tableUuid: 'u1',
    location: 's3://lake/a/t',
    properties: {},
    snapshotId: '9',
    refs: [
      { name: 'main', type: 'branch', snapshotId: '9' },
      { name: 'audit', type: 'branch', snapshotId: ref },
    ],
    snapshots: Object.entries({ ...snapshots, '9': null }).map(([snapshotId, parent]) => ({
      ...{ snapshotId, parentSnapshotId: parent },
    })),
  };
  const subject = { name: 'customer', tables: [{ table: TABLE, action: 'delete' }] };
  const deps = {
    nowMs: () => 0,
    privacy: async () => [{ subjects: [subject] }],
    catalog: { listTables: async () => [], measureTable: async () => health },
    erasures: {
      listRequests: async () => [now],
      listTableWork: async () => work,
      actOn: async ({ act, ...who }: ErasureAct) => {
        const result = applyAct(now, act, who);
        if (!result.ok) throw new Error(result.because);
        now = result.request;
        return { acted: true, request: now };
      },
    },
  } as unknown as ErasureDeps;
  const tables = await findBlocked(deps, 'b');
  return [tables, now.blockers.map(({ kind, name }) => `${kind} ${name}`)];
}

it.each([
  ['at an old snapshot', { '3': '2' }, '3', ['branch audit']],
  ['at an old one that has commits of its own', { '4': '3', '8': '4' }, '8', ['branch audit']],
  ['at the head of main', {}, '9', []],
  ['at what an earlier round left', { '5': '4' }, '5', []],
  ['with commits of its own since', { '7': '6', '6': '5' }, '7', []],
] as const)('a branch %s', async (_, snapshots, ref, blockers) => {
  expect(await blockedBy(snapshots, ref)).toEqual([blockers.length === 0 ? [] : [TABLE], blockers]);
});

it('an exception frees the table, and stays; so does what is no ref', async () => {
  const exception = { by: 'cli:eve', because: 'tax law' };
  const told = { table: TABLE, because: '', remedy: '', exception };
  const blockers = [
    { ...told, kind: 'branch', name: 'audit' },
    { ...told, kind: 'gc_disabled', name: 'gc.enabled' },
  ] as const;
  expect(await blockedBy({ '3': '2' }, '3', { blockers })).toEqual([
    [],
    ['gc_disabled gc.enabled', 'branch audit'],
  ]);
});

const OTHER = 'lake.a.other';
const shownIn = (table: string) => [
  { table, refs: [{ name: 'main', type: 'branch', rows: 1, files: 1, bytes: 1 }] } as const,
];
const seenWith = (rows: number) => [
  { table: TABLE, tableUuid: 'u1', places: [], rows, rowsElsewhere: 0 },
];
const traced = { table: `${TABLE}?e1`, document: { tracesFound: 1 } };

it.each([
  ['another table showed the subject', { found: shownIn(OTHER) }, [], []],
  ['none did, and it is forgotten all the same', { found: [] }, [], [TABLE]],
  ['the second reader met them in it', { found: shownIn(OTHER) }, [traced], [TABLE]],
  ['an earlier try deleted them', { found: shownIn(OTHER), seen: seenWith(2) }, [], [TABLE]],
] as const)('an old branch of a table, where %s', async (_, request, work, blocked) => {
  expect((await blockedBy({ '3': '2' }, '3', request, work))[0]).toEqual(blocked);
});

it('a branch that holds the subject is told with the words that except it', () => {
  const { remedy } = refBlocker(TABLE, 'branch', 'audit', null);
  expect(remedy).toContain(`--table ${TABLE} --kind branch --ref audit`);
});
