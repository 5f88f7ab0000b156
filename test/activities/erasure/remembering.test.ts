import { expect, it } from 'vitest';
import type { ErasureDeps } from '../../../src/activities/erasure/deps.ts';
import { remembering } from '../../../src/activities/erasure/remembering.ts';
import { depsOf, TABLE, worldOf } from './world.ts';

const NAMED = { catalog: 'lake', namespace: 'a', name: 't' };

it('asks once about each table, and again about what failed', async () => {
  const plain = depsOf(worldOf());
  const asked: string[] = [];
  const deps = remembering({
    ...plain,
    catalog: {
      ...plain.catalog,
      measureTable: async ({ name }, { depth }) => {
        asked.push(`${name} ${depth}`);
        if (asked.length === 1) throw new Error('away');
        return { table: TABLE } as Awaited<ReturnType<ErasureDeps['catalog']['measureTable']>>;
      },
    },
  });
  const ask = (nowMs: number) => deps.catalog.measureTable(NAMED, { nowMs, depth: 'metadata' });
  await expect(ask(1)).rejects.toThrow('away');
  await ask(2);
  await Promise.all([ask(3), ask(4)]);
  await deps.catalog.measureTable(NAMED, { nowMs: 5, depth: 'files' });
  expect(asked).toEqual(['t metadata', 't metadata', 't files']);
});
