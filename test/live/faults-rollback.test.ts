/** What is done when an operation has left a table that is not as it must be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { EngineRunner } from '../../src/domain/engine.ts';
import { judgeCadence } from '../../src/domain/policy/cadence.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy/policy.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { openCatalog, openTableFiles } from '../../src/lake.ts';
import { atCommit } from './fault-proxy.ts';
import { type Faults, makeSmall, openFaults } from './faults-support.ts';
import { checksum } from './lake.ts';

let faults: Faults;

beforeAll(async () => {
  faults = await openFaults('faults-rollback', []);
});
afterAll(() => faults?.close());

describe('a manifest rewrite whose engine deleted what it had committed', () => {
  it('is undone: main goes back, every row is there, and the breaker opens', async () => {
    const table = 'lake.faults_rollback.destroyed';
    await makeSmall(faults.lake, table);
    const before = await checksum(faults.lake, table);
    const planned = await faults.plan(table, { kind: 'rewrite_manifests', engine: 'spark' });
    faults.catalog.use(atCommit(table, { kind: 'repeat' }));
    const engines = { ...faults.deps.engines };
    engines.spark = { ...engines.spark, runner: mayDelete(faults.spark) };
    const receipt = await faults.carryOut(planned, { engines });
    expect(receipt).toMatchObject({
      status: 'failed',
      error: { code: 'InvariantBroken' },
      rolledBackTo: planned.plan.snapshotId,
      snapshotAfter: planned.plan.snapshotId,
    });
    expect(receipt.error?.message).toContain(`rolled back to ${planned.plan.snapshotId}`);
    const broken = receipt.invariants.filter((one) => !one.ok).map((one) => one.name);
    expect(broken).toEqual(['reachable_files_exist']);
    expect(await checksum(faults.lake, table)).toEqual(before);
    expect((await faults.verify([table])).get(table)?.rows).toBe(Number(before?.n));
    const policy = DEFAULT_SETTINGS.cadence;
    const recentReceipts = await faults.deps.ledger.recentReceipts(table, 10);
    const cadence = judgeCadence({
      kind: 'rewrite_manifests',
      policy,
      recentReceipts,
      nowMs: Date.now(),
    });
    expect(cadence).toMatchObject({ allowed: false, breakerOpen: true });
    expect(cadence.reasons[0]?.because).toContain('broke an invariant');
  });
});

/** An engine that is not kept from deleting, as ours is. */
function mayDelete(runner: EngineRunner): EngineRunner {
  return {
    ...runner,
    run: (statement, options) => runner.run(statement, { ...options, session: 'may-delete' }),
  };
}

describe('a rollback', () => {
  it('takes place only while main is where it was seen, in the table that was seen', async () => {
    const table = 'lake.faults_rollback.moved';
    await makeSmall(faults.lake, table);
    const catalog = openCatalog(readConfig());
    const { snapshots, snapshotId, tableUuid } = await faults.lake.measure(table);
    const [first, second] = snapshots.map((one) => one.snapshotId) as [string, string];
    const back = (move: object) =>
      catalog.rollBack(tableFromKey(table), {
        tableUuid,
        from: snapshotId ?? '',
        to: first,
        ...move,
      });
    expect(await back({ from: second })).toBe(false);
    expect(await back({ tableUuid: '00000000-0000-4000-8000-000000000000' })).toBe(false);
    expect((await faults.lake.measure(table)).snapshotId).toBe(snapshotId);
    expect(await back({})).toBe(true);
    expect((await faults.lake.measure(table)).snapshotId).toBe(first);
    expect((await checksum(faults.lake, table))?.n).toBe(300n);
  });
});

describe('what a table needs', () => {
  it('is looked at file by file, of the head or of all snapshots', async () => {
    const table = 'lake.faults_rollback.whole';
    await makeSmall(faults.lake, table);
    const config = readConfig();
    const files = openTableFiles(config, openCatalog(config));
    const { snapshots } = await faults.lake.measure(table);
    const [first] = snapshots;
    const all = await files.check(tableFromKey(table));
    const some = await files.check(tableFromKey(table), first?.snapshotId);
    expect(all).toMatchObject({ missingCount: 0 });
    expect(some).toMatchObject({ missingCount: 0 });
    expect(some.checked).toBeLessThan(all.checked);
  });
});
