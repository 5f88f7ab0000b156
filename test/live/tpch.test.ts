/**
 * TPC-H through every operation: the 22 queries answer as before. A small one here: after each
 * operation the engine that did not do it is asked every fourth query, others each time, and in the
 * end both are asked all. `npm run bench:tpch` asks both all of them each time, of ten times the
 * scale and twenty times the files, and tells how long the queries took.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginCampaign, type Campaign, placeOf, READERS } from '../tpch/campaign.ts';
import { OPERATIONS } from '../tpch/operations.ts';
import { QUERIES } from '../tpch/queries.ts';
import type { Shape } from '../tpch/tables.ts';
import { type Lake, openLake } from './lake.ts';

const SHAPE: Shape = {
  schema: 'lake.tpch',
  scale: 0.01,
  partitionedBy: 'year',
  batches: 4,
  warm: false,
};
let lake: Lake;
let campaign: Campaign;

beforeAll(async () => {
  lake = openLake('tpch');
  campaign = await beginCampaign(lake, SHAPE);
});
afterAll(() => lake?.close());

async function expectSameAnswers(
  engine: 'trino' | 'spark',
  version: 2 | 3,
  chosen?: (query: number) => boolean,
): Promise<void> {
  const now = await campaign.ask(engine, version, chosen);
  const before = campaign.before.get(placeOf(engine, version));
  for (const [query, rows] of now.rows) expect(rows, `Q${query}`).toEqual(before?.rows.get(query));
}

describe('lineitem', () => {
  it('begins with small files and deletes, and every query can be asked', async () => {
    const [v2, v3] = await Promise.all(
      ['lineitem', 'lineitem_v3'].map((name) => lake.measure(`${SHAPE.schema}.${name}`)),
    );
    expect(v2?.dataFiles).toBeGreaterThanOrEqual(28);
    expect(v2?.detail?.deletes.positionFiles).toBeGreaterThanOrEqual(7);
    expect(v3?.formatVersion).toBe(3);
    expect(v3?.detail?.deletes.vectors).toBeGreaterThanOrEqual(7);
    for (const engine of READERS[2]) {
      const { rows } = campaign.before.get(placeOf(engine, 2)) ?? { rows: new Map() };
      expect([...rows.keys()]).toEqual(QUERIES);
    }
  });

  it.each(OPERATIONS)(
    '$name on $engine, v$version: all answers are the same',
    async (operation) => {
      const receipts = await campaign.perform(operation);
      expect(receipts.map((one) => one.status)).toEqual([operation.status]);
      expect(receipts.flatMap((one) => one.invariants.filter(({ ok }) => !ok))).toEqual([]);
      expect(receipts[0]?.engine).toBe(operation.engine);
      const [first, other] = READERS[operation.version];
      const reader = first === operation.engine ? other : first;
      const turn = OPERATIONS.indexOf(operation) % 4;
      await expectSameAnswers(reader ?? 'spark', operation.version, (query) => query % 4 === turn);
    },
  );

  it.each([
    ['trino', 2],
    ['spark', 2],
    ['spark', 3],
  ] as const)('in the end %s answers the same of v%i', (engine, version) =>
    expectSameAnswers(engine, version),
  );
});
