/** An exception covers the files that it is about, and never what the head of main reads. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { exceptedFiles, openExceptions } from '../../../src/activities/erasure/excepted.ts';
import type { Blocker, BlockerKind } from '../../../src/domain/erasure/request.ts';
import { erasureRequest } from '../../proof/fixture.ts';

const TABLE = 'lake.a.t';
const place = (name: string) => `s3://lake/a/t/${name}`;
/** Snapshot → the files that it reads. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  '9': ['metadata.json', 'live.parquet'],
  '1': ['metadata.json', 'old.parquet', 'live.parquet'],
  '2': ['metadata.json', 'other.parquet'],
};

const deps = {
  nowMs: () => 0,
  catalog: {
    measureTable: async () => ({
      table: TABLE,
      snapshotId: '9',
      refs: [
        { name: 'main', type: 'branch', snapshotId: '9' },
        { name: 'old', type: 'tag', snapshotId: '1' },
        { name: 'other', type: 'tag', snapshotId: '2' },
      ],
    }),
  },
  files: {
    visit: async (_: unknown, visit: (kind: string, uri: string) => void, snapshotId: string) => {
      for (const name of FILES[snapshotId] ?? []) {
        visit(name === 'metadata.json' ? 'metadata' : 'data', place(name));
      }
    },
  },
} as unknown as Parameters<typeof exceptedFiles>[0];

const hashOf = (name: string) => createHash('sha256').update(place(name)).digest('hex');

async function left(kind: BlockerKind, name: string): Promise<readonly string[]> {
  const names = ['metadata.json', 'live.parquet', 'old.parquet', 'other.parquet', 'stray.parquet'];
  const exception = { by: 'cli:eve', because: 'tax law' };
  const blocker: Blocker = { table: TABLE, kind, name, because: '', remedy: '', exception };
  const isExcepted = await exceptedFiles(deps, erasureRequest({ blockers: [blocker] }), TABLE);
  return names.filter((one) => isExcepted?.(hashOf(one)) !== true);
}

it.each([
  [
    'a tag: what its snapshot reads and main does not',
    'tag',
    'old',
    ['live.parquet', 'other.parquet', 'stray.parquet'],
  ],
  [
    'a tag that is not there any more: nothing',
    'tag',
    'gone',
    ['metadata.json', 'live.parquet', 'old.parquet', 'other.parquet', 'stray.parquet'],
  ],
  ['a shared table: whatever main does not read', 'gc_disabled', 'gc.enabled', ['live.parquet']],
] as const)('%s', async (_, kind, name, open) => {
  expect(await left(kind, name)).toEqual(open);
});

it('without an exception nothing is covered, and nothing is read for it', async () => {
  expect(await exceptedFiles(deps, erasureRequest(), TABLE)).toBeNull();
});

it('what was accepted is looked at again: main may read it by then', async () => {
  const exception = { by: 'cli:eve', because: 'tax law' };
  const blocker: Blocker = {
    ...{ table: TABLE, kind: 'tag', name: 'old', because: '', remedy: '', exception },
  };
  const live = [...(FILES['9'] ?? [])];
  const visit: typeof deps.files.visit = async (table, tell, snapshotId) => {
    if (snapshotId !== '9') return deps.files.visit(table, tell, snapshotId);
    for (const name of live) tell('data', place(name));
    return { snapshotId: '9' };
  };
  const moving = { ...deps, files: { ...deps.files, visit } };
  const opened = await openExceptions(moving, erasureRequest({ blockers: [blocker] }), TABLE);
  live.push('old.parquet');
  expect(await opened?.stand()).toBe(true);
  expect(opened?.isExcepted(hashOf('old.parquet'))).toBe(true);
  expect(await opened?.stand()).toBe(false);
});
