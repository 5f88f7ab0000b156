/** What forbids forgetting is told before anything is changed, and again before files go. */
import { describe, expect, it } from 'vitest';
import { type ObstacleDeps, obstaclesOf } from '../../../src/activities/erasure/obstacles.ts';
import { purge } from '../../../src/activities/erasure/purge.ts';
import { keepsOldFiles, type StepContext } from '../../../src/activities/erasure/step-context.ts';
import { survey } from '../../../src/activities/erasure/survey.ts';
import type { TableProgress } from '../../../src/activities/erasure/work.ts';
import type { Blocker } from '../../../src/domain/erasure/request.ts';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import { tableFromKey, tableKey } from '../../../src/domain/table.ts';
import { erasureRequest } from '../../proof/fixture.ts';

const TABLE = 'lake.a.t';
const NOW_MS = Date.parse('2026-03-01T12:00:00Z');

interface Scene {
  readonly others?: Readonly<Record<string, readonly string[]>>;
  readonly properties?: Readonly<Record<string, string>>;
  readonly lock?: string;
}

function healthOf({ properties = {} }: Scene): TableHealth {
  const location = 's3://lake/a/t';
  const refs = [{ name: 'main', type: 'branch', snapshotId: '1' }];
  const snapshots = [{ snapshotId: '1', parentId: null, committedAtMs: NOW_MS, summary: {} }];
  return { table: TABLE, properties, location, refs, snapshots } as unknown as TableHealth;
}

/** Whatever else is asked for is not there: nothing was begun. */
function depsOf({ others = {}, lock }: Scene): ObstacleDeps {
  const places: Record<string, readonly string[]> = { [TABLE]: ['s3://lake/a/t'], ...others };
  return {
    catalog: { listTables: async () => Object.keys(places).map(tableFromKey) },
    ledger: { latestReports: async () => [] },
    files: {
      version: async () => ({ location: 's3://lake/a/t', properties: {} }),
      places: async (table: Parameters<typeof tableKey>[0]) => ({
        table: tableKey(table),
        places: places[tableKey(table)] ?? [],
      }),
    },
    versions: { findLock: async () => lock ?? null },
    nowMs: () => NOW_MS,
  } as unknown as ObstacleDeps;
}

const found = async (scene: Scene) => obstaclesOf(depsOf(scene), healthOf(scene));

describe('what forbids forgetting in a table', () => {
  it('is nothing where it lies by itself', async () => {
    expect(await found({ others: { 'lake.a.t_2': ['s3://lake/a/t_2'] } })).toEqual([]);
  });

  it.each([
    ['is around it', ['s3://lake/a']],
    ['is within it', ['s3://lake/a/t/data/inner']],
    ['writes into it', ['s3://lake/b', 's3a://lake/a/t/']],
  ])('is a table that %s: both are named', async (_, places) => {
    const [one, ...more] = await found({ others: { 'lake.b.other': places } });
    expect(more).toEqual([]);
    expect(one).toMatchObject({ kind: 'shared_place', table: TABLE, name: 'lake.b.other' });
    expect(one?.because).toMatch(/lake\.b\.other keeps files at .* overlaps with lake\.a\.t/);
  });

  it('is gc.enabled=false, a retention of the engine, a lock of the store', async () => {
    expect(await found({ properties: { 'gc.enabled': 'FALSE' } })).toMatchObject([
      { kind: 'gc_disabled' },
    ]);
    expect(await found({ lock: 'locked for 30 days' })).toMatchObject([
      { kind: 'object_lock', because: 'locked for 30 days' },
    ]);
  });
});

function contextOf(scene: Scene, blockers: readonly Blocker[] = []): StepContext {
  const health = healthOf(scene);
  const requests = [erasureRequest({ blockers })];
  const deps = depsOf(scene);
  return { deps, health, requests, table: TABLE, batchId: 'b' } as unknown as StepContext;
}

const SHARED: Scene = { others: { 'lake.b.other': ['s3://lake/a'] } };
const PROGRESS = {} as TableProgress;

describe('a step', () => {
  it('is refused before the first change, with both tables', async () => {
    await expect(survey(contextOf(SHARED), null)).rejects.toMatchObject({
      code: 'SafetyRefused',
      message: expect.stringMatching(/^shared_place of lake\.a\.t: lake\.b\.other keeps files at/),
    });
  });

  it('is refused before versions go, should it have come meanwhile', async () => {
    await expect(purge(contextOf(SHARED), PROGRESS)).rejects.toMatchObject({
      code: 'SafetyRefused',
    });
  });

  it('leaves files where somebody has taken that on themselves', async () => {
    const exception = { by: 'cli:eve', because: 'tax law' };
    const [blocker] = await found(SHARED);
    const excepted = contextOf(SHARED, [{ ...(blocker as Blocker), exception }]);
    expect(keepsOldFiles(excepted)).toBe(true);
    expect((await purge(excepted, PROGRESS)).receipt).toEqual({ status: 'noop' });
    expect(keepsOldFiles(contextOf(SHARED, [blocker as Blocker]))).toBe(false);
  });
});
