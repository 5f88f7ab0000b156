import { describe, expect, test } from 'vitest';
import type { OrphanLook } from '../../src/domain/orphans/look-record.ts';
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
