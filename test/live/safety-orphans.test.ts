/** Orphan removal takes what nothing reaches, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { icewright } from './command-line.ts';
import { DAY_MS, makeTable, openShore, orphans, type Shore } from './orphan-support.ts';

let shore: Shore;

beforeAll(async () => {
  shore = await openShore('safety_orphans');
});

afterAll(async () => {
  await shore.close();
});

describe('a table with files that a dead writer left', () => {
  let table: string;
  let location: string;
  let orphan: string;
  let young: string;

  beforeAll(async () => {
    table = await makeTable(shore, 'plain', { rows: 3 });
    location = await shore.location(table);
    // As old as it may be: only what is reachable protects it from here on.
    await shore.age(`${location}/`);
    orphan = `${location}/data/left-behind.parquet`;
    young = `${location}/data/just-written.parquet`;
    await shore.putOld(orphan, 30 * DAY_MS);
    await shore.putOld(`${location}/metadata/left-behind-m0.avro`, 30 * DAY_MS);
    await shore.putOld(young, 2.5 * DAY_MS);
  });

  it('lists what it would remove, and removes nothing', async () => {
    const told = await icewright(['orphans', table, '--dry-run']);
    expect(told.exitCode).toBe(0);
    const listed = told.json.orphans.files.map((file: { uri: string }) => file.uri);
    expect(listed).toEqual([orphan, `${location}/metadata/left-behind-m0.avro`]);
    expect(told.json.orphans).toMatchObject({ young: 1, candidates: 2 });
    expect(await shore.exists(orphan)).toBe(true);
  });

  it('names the floor to who asks for less', async () => {
    const told = await icewright(['orphans', table, '--older-than', '71h', '--wait']);
    expect(told.exitCode).toBe(2);
    expect(told.json.error.message).toContain('72h');
  });

  it('removes exactly those, in one command', async () => {
    // The danger: Spark alone would take the young one as well, which may still be committed.
    expect(await shore.wouldDelete(table)).toContain(young);
    const before = await shore.under(`${location}/`);
    const told = await orphans(table);
    expect(told).toMatchObject({ exitCode: 0 });
    expect(told.receipt).toMatchObject({
      status: 'done',
      filesRemoved: 2,
      orphans: { young: 1, candidates: 2, agreed: 2, bytesFreed: 52 },
    });
    expect(told.receipt.invariants.every((one) => one.ok)).toBe(true);
    const gone = before.filter((uri) => uri.includes('left-behind'));
    expect(await shore.under(`${location}/`)).toEqual(before.filter((uri) => !gone.includes(uri)));
    expect(await shore.spark(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 3n }]);
  });

  it('finds nothing the second time', async () => {
    expect((await orphans(table)).receipt).toMatchObject({ status: 'noop', filesRemoved: 0 });
    expect(await shore.exists(young)).toBe(true);
  });
});
