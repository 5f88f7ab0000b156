/** What a person must decide, what nobody may, and what a killed run leaves. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storePlan } from '../../src/activities/planning/planning.ts';
import { newRunId } from '../../src/cli/job.ts';
import { readConfig } from '../../src/config.ts';
import { planTable } from '../../src/domain/planner/planner.ts';
import { effectivePolicy } from '../../src/domain/policy/effective.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { openCatalog } from '../../src/lake.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { icewright, succeed } from './command-line.ts';
import {
  DAY_MS,
  expectRefusal,
  makeTable,
  openShore,
  orphans,
  type Shore,
} from './orphan-support.ts';

const config = readConfig();
let shore: Shore;

beforeAll(async () => {
  shore = await openShore('safety_cap');
});

afterAll(async () => {
  await shore.close();
});

async function withOrphans(name: string, count: number) {
  const table = await makeTable(shore, name);
  const location = await shore.location(table);
  await shore.age(`${location}/`);
  const left = Array.from({ length: count }, (_, at) => `${location}/data/left-${at}.parquet`);
  for (const uri of left) await shore.putOld(uri, 30 * DAY_MS);
  return { table, location, left };
}

function planIn(message: string): string {
  return /icewright apply (\S+)/.exec(message)?.[1] ?? 'no plan';
}

describe('more orphans than the cap', () => {
  it('are refused, then removed by a person: exactly those of the plan', async () => {
    const { table, location, left } = await withOrphans('capped', 3);
    const told = await orphans(table, '--max-files', '2');
    expect(told).toMatchObject({ exitCode: 3, receipt: { orphans: { agreed: 3 } } });
    expect(told.message).toMatch(/3 files are orphans, more than the 2/);
    for (const uri of left) expect(await shore.exists(uri)).toBe(true);
    const late = `${location}/data/late.parquet`;
    await shore.putOld(late, 30 * DAY_MS);
    // Somebody writes meanwhile: a commit does not make the list wrong.
    await shore.spark(`INSERT INTO ${table} VALUES (9, 'late')`);
    const applied = await icewright(['apply', planIn(told.message)]);
    expect(applied.json.receipts).toMatchObject([{ status: 'done', filesRemoved: 3 }]);
    for (const uri of left) expect(await shore.exists(uri)).toBe(false);
    expect(await shore.exists(late)).toBe(true);
    const again = await icewright(['apply', planIn(told.message)]);
    expect(again.json.receipts).toMatchObject([{ filesRemoved: 0 }]);
    expect(await shore.exists(late)).toBe(true);
  });

  it('are not removed when one of them was written anew', async () => {
    const { table, left } = await withOrphans('rewritten', 3);
    const told = await orphans(table, '--max-files', '2');
    await shore.putOld(left[1] as string, 20 * DAY_MS, 'another one');
    const applied = await icewright(['apply', planIn(told.message)]);
    expect(applied.exitCode).toBe(3);
    expect(applied.json.receipts[0].error.message).toContain(left[1]);
    for (const uri of left) expect(await shore.exists(uri)).toBe(true);
  });
});

describe('a table that must not be touched', () => {
  it('because a manifest of it cannot be read', async () => {
    const { table, location } = await withOrphans('torn', 1);
    const [manifest] = await shore.spark(`SELECT path FROM ${table}.manifests LIMIT 1`);
    const uri = String(manifest?.path);
    const whole = await shore.store.get(uri, 2 ** 20);
    await shore.putOld(uri, 30 * DAY_MS, whole.subarray(0, whole.length - 30));
    await expectRefusal(shore, { table, prefix: `${location}/`, why: /is not known: .*damaged/ });
    expect(await shore.store.delete([{ uri }])).toEqual([]);
    await expectRefusal(shore, { table, prefix: `${location}/`, why: /is not known: .*not there/ });
    await shore.putOld(uri, 30 * DAY_MS, whole);
    expect((await orphans(table)).receipt).toMatchObject({ status: 'done', filesRemoved: 1 });
  });

  it('because its files may be shared', async () => {
    const { table, location, left } = await withOrphans('shared_files', 1);
    expect(await shore.wouldDelete(table)).toContain(left[0]);
    await shore.spark(`ALTER TABLE ${table} SET TBLPROPERTIES ('gc.enabled' = 'false')`);
    await expectRefusal(shore, { table, prefix: `${location}/`, why: /gc\.enabled is false/ });
  });
});

describe('by policy', () => {
  const catalog = openCatalog(config);
  const ledger = createLedger({ url: config.ledgerUrl });

  afterAll(() => ledger.close());

  /** As a policy that wants orphans removed weekly, and snapshots expired at once, plans it. */
  async function plan(table: string) {
    const nowMs = Date.now();
    const base = effectivePolicy([], tableFromKey(table));
    const { orphans: policy, expire, ...rest } = base.settings;
    const settings = {
      ...rest,
      orphans: { ...policy, enabled: true },
      expire: { ...expire, olderThanMs: 1, keepLast: 1 },
    };
    const health = await catalog.measureTable(tableFromKey(table), { nowMs, depth: 'files' });
    const planned = planTable({
      health,
      policy: { ...base, settings },
      recentReceipts: await ledger.recentReceipts(table, 50),
      pinned: [],
      consumers: { consumed: [], unreadable: [] },
      nowMs,
    });
    const decision = planned.decisions.find((one) => one.kind === 'remove_orphans');
    const tables = [{ ...planned, decisions: decision === undefined ? [] : [decision] }];
    const { planId } = await storePlan(ledger, { planId: newRunId(), nowMs, tables });
    return { planId, orphans: decision };
  }

  it('nothing goes without an expiry, nor at the first look', async () => {
    const { table, left } = await withOrphans('policed', 2);
    const first = await plan(table);
    expect(first.orphans).toMatchObject({ action: 'refuse' });
    expect(JSON.stringify(first.orphans?.reasons)).toContain('to be expired');
    await succeed(['expire', table, '--older-than', '1ms', '--keep-last', '1', '--wait']);
    const apply = async () => {
      const { planId, orphans: decision } = await plan(table);
      expect(decision).toMatchObject({ action: 'run', operation: { looks: { kind: 'later' } } });
      const { receipts } = await succeed(['apply', planId]);
      return receipts.find((one: { operation: string }) => one.operation === 'remove_orphans');
    };
    expect(await apply()).toMatchObject({ status: 'noop', orphans: { candidates: 2 } });
    for (const uri of left) expect(await shore.exists(uri)).toBe(true);
    await anHourPasses(table);
    // A week must pass until the next run: that too is behind us.
    expect(await apply()).toMatchObject({ status: 'done', filesRemoved: 2 });
    for (const uri of left) expect(await shore.exists(uri)).toBe(false);
  });

  /** The ledger's looks and receipts of the table, as if they were eight days old. */
  async function anHourPasses(table: string): Promise<void> {
    const client = new pg.Client({ connectionString: config.ledgerUrl });
    await client.connect();
    await client.query('begin');
    await client.query('alter table icewright.receipt disable trigger all');
    await client.query(
      `update icewright.orphan_look set looked_at = looked_at - interval '8 days'
       where table_key = $1`,
      [table],
    );
    await client.query(
      `update icewright.receipt set document = document || jsonb_build_object('finishedAt',
         to_char((document->>'finishedAt')::timestamptz - interval '8 days',
           'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'startedAt',
         to_char((document->>'startedAt')::timestamptz - interval '8 days',
           'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
       where table_key = $1`,
      [table],
    );
    await client.query('alter table icewright.receipt enable always trigger receipt_append_only');
    await client.query('commit');
    await client.end();
  }
});
