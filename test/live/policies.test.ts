/** Policies on real tables: what an edit changes, what a table decides itself, pauses, the past. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { reportOf } from '../../src/domain/health/report.ts';
import type { Decision } from '../../src/domain/operation.ts';
import { type ClosableLedger, createLedger } from '../../src/ledger/ledger.ts';
import { icewright, succeed, type Told } from './command-line.ts';
import { type Lake, makeScattered, openLake } from './lake.ts';

const TABLE = 'lake.policy.scattered';
const HOUR_MS = 3_600_000;
const made: string[] = [];
let lake: Lake;
let ledger: ClosableLedger;
let calm: string;
let eager: string;

beforeAll(async () => {
  lake = openLake('policies');
  ledger = createLedger({ url: readConfig().ledgerUrl });
  await makeScattered(lake, TABLE, { files: 8, rows: 800 });
  await lake.spark(
    `ALTER TABLE ${TABLE} SET TBLPROPERTIES (
       'icewright.tags' = 'hourly, pii', 'icewright.compact.min-input-files' = '4',
       'icewright.orphans.older-than' = '1h')`,
  );
  calm = await folder('compact: {trigger: {metric: file_reduction, atLeast: 100}}');
  eager = await folder(
    'compact: {trigger: {metric: file_reduction, atLeast: 3}}',
    'overrides: {allow: [compact.*, orphans.*]}',
  );
  await writeFile(
    join(eager, 'tagged.yaml'),
    'kind: maintenance\nname: tagged\ntables: {tag: hourly}\nexpire: {keepLast: 77}\n',
  );
  await writeFile(join(eager, 'sweep.yaml'), 'kind: sweep\nname: upkeep\nevery: 15m\n');
});

afterAll(async () => {
  await lake?.spark(`DROP TABLE IF EXISTS ${TABLE}`);
  await Promise.all([lake?.close(), ledger?.close()]);
  for (const one of made) await rm(one, { recursive: true });
});

async function folder(...lines: readonly string[]): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'icewright-live-policies-'));
  made.push(path);
  const text = ['kind: maintenance', 'name: all', 'tables: "*"', ...lines].join('\n');
  await writeFile(join(path, 'all.yaml'), `${text}\n`);
  return path;
}

/** A command as it is given where workers read `directory`. */
async function under(directory: string, words: readonly string[]): Promise<Told['json']> {
  const told = await icewright(words, { ICEWRIGHT_POLICIES: directory });
  if (told.exitCode !== 0) throw new Error(`${words.join(' ')}: ${told.stdout}${told.stderr}`);
  return told.json;
}

async function compaction(directory: string): Promise<Decision> {
  const { tables } = await under(directory, ['plan', TABLE]);
  return tables[0].decisions.find((one: { operation: string }) => one.operation === 'compact');
}

describe('an edit', () => {
  it('shows its fields and its decisions before it is in force', async () => {
    const words = ['policies', 'diff', eager, '--against', calm, '--tables', 'policy.*'];
    const { tables, schedules } = await succeed(words);
    expect(tables).toHaveLength(1);
    const [{ table, fields, decisions, ignored }] = tables;
    expect(table).toBe(TABLE);
    const changed = fields.map((one: { field: string; before: string; after: string }) => [
      one.field,
      one.before,
      one.after,
    ]);
    expect(changed).toEqual([
      ['compact.minInputFiles', '5', '4'],
      ['compact.trigger', 'file_reduction ≥ 100', 'file_reduction ≥ 3'],
      ['expire.keepLast', '5', '77'],
      ['overrides.allow', 'none', 'compact.*, orphans.*'],
    ]);
    expect(fields[0].afterFrom.file).toBe('table property icewright.compact.min-input-files');
    expect(decisions).toMatchObject([
      { kind: 'compact', before: { action: 'skip' }, after: { action: 'run' } },
    ]);
    // It was passed over before as well, for another reason.
    expect(ignored).toEqual([]);
    expect(schedules).toEqual([{ kind: 'sweep', name: 'upkeep', change: 'added', fields: [] }]);
    expect((await compaction(calm)).action).toBe('skip');
  });

  it('of nothing changes nothing', async () => {
    const words = ['policies', 'diff', eager, '--against', eager, '--tables', 'policy.*'];
    expect(await succeed(words)).toMatchObject({ tables: [], schedules: [] });
  });

  it('is recorded when it is applied, and brings the schedules to the files', async () => {
    const applied = await succeed(['policies', 'apply']);
    expect(applied.digest).toMatch(/^[0-9a-f]{64}$/);
    const again = await succeed(['policies', 'apply']);
    expect(again).toEqual({
      digest: applied.digest,
      changed: false,
      schedules: { created: [], updated: [], removed: [] },
    });
    const version = await ledger.appliedPolicies();
    expect(version?.digest).toBe(applied.digest);
    expect(Object.keys(version?.documents ?? {})).toContain('nightly.yaml');
  });
});

describe('a table', () => {
  it('decides for itself what the policies allow; what is not heard is told', async () => {
    const { policy } = await under(eager, ['explain', TABLE]);
    expect(policy.settings.compact.minInputFiles).toBe(4);
    expect(policy.settings.expire.keepLast).toBe(77);
    expect(policy.settings.orphans.olderThanMs).toBe(7 * 24 * HOUR_MS);
    expect(policy.ignored).toEqual([
      {
        property: 'icewright.orphans.older-than',
        value: '1h',
        because: expect.stringContaining('below the floor of 3 d'),
      },
    ]);
    const plain = await under(calm, ['explain', TABLE]);
    expect(plain.policy.settings.compact.minInputFiles).toBe(5);
    expect(plain.policy.ignored).toHaveLength(2);
  });
});

describe('a pause', () => {
  it('keeps what is due away until it is resumed; a command by hand says that it passes over', async () => {
    expect((await compaction(eager)).action).toBe('run');
    const words = ['pause', 'policy.*', '--operation', 'compact', '--until', '2h'];
    const { tables } = await succeed([...words, '--reason', 'the table moves']);
    expect(tables).toEqual([TABLE]);
    const paused = await compaction(eager);
    expect(paused.action).toBe('skip');
    expect(paused.reasons.find((one) => one.metric === 'paused')?.because).toContain(
      'the table moves',
    );
    expect(Date.parse(paused.nextEligibleAt ?? '')).toBeGreaterThan(Date.now() + HOUR_MS);
    const byHand = await under(eager, ['compact', TABLE, '--dry-run']);
    expect(byHand.plan.decisions[0]).toMatchObject({ action: 'run' });
    expect(byHand.plan.decisions[0].reasons[0].because).toMatch(/passed over by hand$/);
    expect((await succeed(['pause'])).pauses).toHaveLength(1);
    await succeed(['resume', TABLE]);
    expect((await compaction(eager)).action).toBe('run');
    await succeed(['resume', 'policy.*']);
    expect((await succeed(['pause'])).pauses).toEqual([]);
  });

  it('without a reason is refused as usage', async () => {
    expect(await icewright(['pause', TABLE])).toMatchObject({ exitCode: 2 });
  });
});

describe('the past', () => {
  it('is told under edited policies: what would have run, by table and by day', async () => {
    const health = await lake.measure(TABLE);
    const nowMs = Date.now();
    for (const [hours, files] of [
      [30, 2],
      [20, 5],
      [10, 8],
    ] as const) {
      const measuredAtMs = nowMs - hours * HOUR_MS;
      const past = { ...health, measuredAtMs, dataFiles: files, smallFiles: files };
      await ledger.saveReports([{ ...reportOf(past), etag: null, location: health.location }]);
    }
    const words = ['policies', 'simulate', 'policy.*', '--from', '29h', '--policies', eager];
    const told = await under(calm, words);
    expect(told).toMatchObject({ tables: 1, withHistory: 1, current: { operations: 0, looks: 0 } });
    expect(told.edited.byTable[TABLE].operations).toBeGreaterThan(0);
    expect(told.edited.byOperation.compact.operations).toBe(told.edited.operations);
    const [first] = told.edited.runs;
    // Five files, of which four are worth it: found by the first look after they came.
    expect(nowMs - Date.parse(first.at)).toBeLessThanOrEqual(20 * HOUR_MS);
    expect(nowMs - Date.parse(first.at)).toBeGreaterThan(19 * HOUR_MS);
    const days = Object.values(told.edited.byDay) as { operations: number }[];
    expect(days.reduce((sum, one) => sum + one.operations, 0)).toBe(told.edited.operations);
  });
});
