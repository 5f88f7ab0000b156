import { describe, expect, test } from 'vitest';
import { planForApproval } from '../../src/activities/orphans/lists.ts';
import type { OrphanLook } from '../../src/domain/orphans/look-record.ts';
import { healthOf, snapshotOf } from '../domain/table-fixture.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';

const own = useOwnLedger('looks');

function look(lookId: string, more: Partial<OrphanLook> = {}): OrphanLook {
  return {
    lookId,
    table: 'lake.a.t',
    tableUuid: 'u',
    purpose: 'look',
    lookedAt: new Date(Date.now() - 3_600_000).toISOString(),
    olderThanMs: 259_200_000,
    digest: 'd',
    files: [
      { uri: 's3://lake/a/t/ä b%20.parquet', sizeBytes: 7, modifiedAtMs: 1.5, etag: '"e"' },
      { uri: 's3://lake/a/t/odd', sizeBytes: 0, modifiedAtMs: null, etag: null },
    ],
    ...more,
  };
}

describe('looks', () => {
  test('are read back exactly, and the first one of an id stands', async () => {
    expect(await own.ledger.saveLook(look('r1/0/look'))).toEqual(
      look('r1/0/look', {
        lookedAt: expect.any(String) as unknown as string,
      }),
    );
    const first = await own.ledger.readLook('r1/0/look');
    expect(first?.files).toEqual(look('x').files);
    expect(await own.ledger.saveLook(look('r1/0/look', { files: [], digest: 'e' }))).toEqual(first);
    expect(await own.ledger.readLook('none')).toBeNull();
  });

  test('the last one until some time is found, of its table and purpose alone', async () => {
    const at = (minutes: number) => new Date(Date.UTC(2026, 10, 1, 0, minutes)).toISOString();
    const recent = { table: 'lake.a.u' };
    await own.ledger.saveLook(look('a', { ...recent, lookedAt: at(1) }));
    await own.ledger.saveLook(look('b', { ...recent, lookedAt: at(2) }));
    await own.ledger.saveLook(look('c', { ...recent, lookedAt: at(3), purpose: 'deletion' }));
    expect((await own.ledger.lastLook('lake.a.u', at(9)))?.lookId).toBe('b');
    expect((await own.ledger.lastLook('lake.a.u', at(1)))?.lookId).toBe('a');
    expect(await own.ledger.lastLook('lake.a.u', at(0))).toBeNull();
    expect(await own.ledger.lastLook('lake.a.v', at(9))).toBeNull();
  });
});

describe('more orphans than may go', () => {
  const table = 'lake.a.capped';
  const [ONE, TWO] = [snapshotOf('1', 'append'), snapshotOf('2', 'append')];
  const FOUR = snapshotOf('4', 'append');
  const FILES = look('x').files;

  /** What a run is told, of a table with these snapshots. */
  async function ask(runId: string, files = FILES, snapshots = [ONE]) {
    const reach = { tableUuid: 'u', snapshotId: snapshots.at(-1)?.snapshotId ?? null };
    const seen = { reach, candidates: files, lookedAtMs: Date.now(), cutoffMs: 0 };
    const operation = { kind: 'remove_orphans', maxFiles: 0, looks: { kind: 'later', gapMs: 1 } };
    const step = { table, runId, ordinal: 3, engine: 'spark', operation };
    const deps = {
      ledger: own.ledger,
      nowMs: () => Date.now(),
      catalog: { measureTable: async () => healthOf(snapshots) },
    };
    const message = await planForApproval(deps, step as never, seen as never, files);
    return /icewright apply (\S+)/.exec(message)?.[1];
  }

  test('wait with one plan, however often the same files are found', async () => {
    expect(await ask('n1')).toBe('n1.orphans3');
    expect(await ask('n1')).toBe('n1.orphans3');
    expect(await ask('n2', FILES, [ONE, TWO])).toBe('n1.orphans3');
    expect(await own.ledger.readPlan('n2.orphans3')).toBeNull();
    expect(await own.ledger.readLook('n2/3/approval')).toBeNull();
  });

  test('are planned anew when they are others, or what the plan saw has expired', async () => {
    expect(await ask('n3', FILES.slice(1))).toBe('n3.orphans3');
    expect(await ask('n4', FILES, [FOUR])).toBe('n4.orphans3');
    expect(await ask('n5', FILES, [FOUR])).toBe('n4.orphans3');
  });
});
