/** A table that is not what it was when the plan was made: `apply` refuses, and says what moved. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { icewright, succeed } from './command-line.ts';
import { compactOn, EXPIRE_ALL, type Faults, makeSmall, openFaults } from './faults-support.ts';
import { checksum, replaces } from './lake.ts';

let faults: Faults;

beforeAll(async () => {
  faults = await openFaults('faults-plan', []);
});
afterAll(() => faults?.close());

const inCatalog = (table: string) => table.slice(table.indexOf('.') + 1);

/** Ways in which a table moves between plan and apply, and what the refusal says of each. */
const MOVES: readonly (readonly [string, (table: string) => readonly string[], RegExp])[] = [
  [
    'written',
    (table) => [`INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1`],
    /snapshots were added: append \d+ at 20\S+ by spark application/,
  ],
  ['dropped', (table) => [`DROP TABLE ${table}`], /no longer in the catalog/],
  [
    'renamed',
    (table) => [
      `DROP TABLE IF EXISTS ${table}_2`,
      `ALTER TABLE ${table} RENAME TO ${inCatalog(table)}_2`,
    ],
    /no longer in the catalog/,
  ],
  [
    'replaced',
    (table) => [
      `DROP TABLE IF EXISTS ${table}_copy`,
      `CREATE TABLE ${table}_copy USING iceberg AS SELECT * FROM ${table}`,
      `DROP TABLE ${table}`,
      `ALTER TABLE ${table}_copy RENAME TO ${inCatalog(table)}`,
    ],
    /another table now: uuid/,
  ],
  [
    'moved back',
    (table) => [`CALL lake.system.set_current_snapshot('${table}', %FIRST%)`],
    /does not descend from \d+/,
  ],
  [
    'given another schema',
    (table) => [`ALTER TABLE ${table} ADD COLUMN more STRING`],
    /its schema is ".*more string" instead of/,
  ],
  [
    'given another layout',
    (table) => [`ALTER TABLE ${table} ADD PARTITION FIELD bucket(4, customer_id)`],
    /its partition spec is "1: bucket\[4\]\(customer_id\)" instead of "0: "/,
  ],
  [
    'given other properties',
    (table) => [
      `ALTER TABLE ${table} SET TBLPROPERTIES ('write.parquet.page-size-bytes' = '4096')`,
    ],
    /properties were changed: write.parquet.page-size-bytes/,
  ],
];

describe('apply', () => {
  it.each(MOVES.map((one, at) => [...one, at] as const))(
    'refuses a compaction of a table that was %s',
    async (_what, statements, says, at) => {
      const table = `lake.faults_plan.t${at}`;
      await makeSmall(faults.lake, table);
      const { planId } = await faults.plan(table, compactOn('spark'));
      const first = (await faults.lake.measure(table)).snapshots[0]?.snapshotId ?? '';
      for (const sql of statements(table)) await faults.lake.spark(sql.replace('%FIRST%', first));
      const told = await icewright(['apply', planId]);
      expect(told.exitCode).toBe(3);
      const [receipt] = told.json.receipts;
      expect(receipt).toMatchObject({ status: 'refused', error: { code: 'TableChanged' } });
      expect(receipt.error.message).toMatch(says);
      expect(told.stderr).toMatch(says);
    },
  );

  it('lets an expiry of exact ids pass an append, and takes exactly those', async () => {
    const table = 'lake.faults_plan.expiry';
    await makeSmall(faults.lake, table);
    const { planId, plan } = await faults.plan(table, EXPIRE_ALL);
    await faults.lake.spark(`INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1`);
    const before = await checksum(faults.lake, table);
    const { snapshots } = await faults.lake.measure(table);
    const [receipt] = (await succeed(['apply', planId])).receipts;
    expect(receipt).toMatchObject({ operation: 'expire_snapshots', status: 'done' });
    const operation = plan.decisions[0]?.operation as { readonly snapshotIds: readonly string[] };
    const left = (await faults.lake.measure(table)).snapshots.map((one) => one.snapshotId);
    expect(operation.snapshotIds).toHaveLength(2);
    expect(left).toEqual(
      snapshots.map((one) => one.snapshotId).filter((id) => !operation.snapshotIds.includes(id)),
    );
    expect(await checksum(faults.lake, table)).toEqual(before);
    const found = (await faults.verify([table])).get(table);
    expect(found).toMatchObject({ rows: Number(before?.n), missing: [] });
  });

  it('refuses an expiry of what a tag has come to need', async () => {
    const table = 'lake.faults_plan.tagged';
    await makeSmall(faults.lake, table);
    const { planId, plan } = await faults.plan(table, EXPIRE_ALL);
    const operation = plan.decisions[0]?.operation as { readonly snapshotIds: readonly string[] };
    await faults.lake.spark(
      `ALTER TABLE ${table} CREATE TAG audit AS OF VERSION ${operation.snapshotIds[0]}`,
    );
    const told = await icewright(['apply', planId]);
    expect(told.exitCode).toBe(3);
    expect(told.stderr).toContain('head of tag audit');
    expect((await faults.lake.measure(table)).snapshots).toHaveLength(3);
  });

  it('refuses a plan that was changed in the ledger', async () => {
    const table = 'lake.faults_plan.tampered';
    await makeSmall(faults.lake, table);
    const { planId } = await faults.plan(table, compactOn('spark'));
    await changeInLedger(planId);
    const told = await icewright(['apply', planId]);
    expect(told.exitCode).toBe(3);
    expect(JSON.stringify(told.json)).toContain('TableChanged');
    expect(told.stderr).toContain('was changed in the ledger');
    expect(replaces(await faults.lake.measure(table))).toEqual([]);
  });
});

/** The ledger refuses changes; whoever owns the database can make it take one. */
async function changeInLedger(planId: string): Promise<void> {
  const client = new pg.Client({ connectionString: readConfig().ledgerUrl });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('alter table icewright.plan disable trigger plan_append_only');
    const path = '{tables,0,decisions,0,operation,rewriteAll}';
    await client.query(
      "update icewright.plan set document = jsonb_set(document, $2, 'true') where plan_id = $1",
      [planId, path],
    );
    await client.query('alter table icewright.plan enable always trigger plan_append_only');
    await client.query('commit');
  } finally {
    await client.end();
  }
}
