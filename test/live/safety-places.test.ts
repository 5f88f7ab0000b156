/** Tables that share, nest or prefix a place, and tables of which the catalog knows nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetTable } from './lake.ts';
import {
  DAY_MS,
  expectRefusal,
  makeTable,
  openShore,
  orphans,
  type Shore,
} from './orphan-support.ts';

let shore: Shore;
let base: string;

beforeAll(async () => {
  shore = await openShore('safety_places');
  base = `s3://lake/${shore.namespace}`;
});

afterAll(async () => {
  await shore.close();
});

async function rows(table: string): Promise<unknown> {
  return (await shore.spark(`SELECT count(*) AS n FROM ${table}`))[0]?.n;
}

/** Live files of a table, as Spark names them. */
async function dataFiles(table: string): Promise<readonly string[]> {
  const found = await shore.spark(`SELECT file_path FROM ${table}.files`);
  return found.map((row) => String(row.file_path));
}

describe('two tables with one location', () => {
  it('are refused, both, for each would delete the other', async () => {
    const place = `${base}/shared`;
    const one = await makeTable(shore, 'shared_1', { location: place });
    const two = await makeTable(shore, 'shared_2', { location: place });
    await shore.age(`${place}/`);
    const others = await dataFiles(two);
    expect(await shore.wouldDelete(one)).toEqual(expect.arrayContaining([...others]));
    for (const table of [one, two]) {
      await expectRefusal(shore, { table, prefix: `${place}/`, why: /overlaps with .*move one/ });
    }
    expect([await rows(one), await rows(two)]).toEqual([2n, 2n]);
  });
});

describe('a table within another', () => {
  it('is refused, and so is the one around it', async () => {
    const place = `${base}/outer`;
    const outer = await makeTable(shore, 'outer', { location: place });
    const inner = await makeTable(shore, 'inner', { location: `${place}/data/inner` });
    await shore.age(`${place}/`);
    const others = await dataFiles(inner);
    expect(await shore.wouldDelete(outer)).toEqual(expect.arrayContaining([...others]));
    for (const table of [outer, inner]) {
      await expectRefusal(shore, { table, prefix: `${place}/`, why: /overlaps with/ });
    }
    expect([await rows(outer), await rows(inner)]).toEqual([2n, 2n]);
  });

  it('counts also when only its data are there', async () => {
    const place = `${base}/host`;
    const host = await makeTable(shore, 'host', { location: place });
    const guest = await makeTable(shore, 'guest', {
      location: `${base}/guest`,
      more: `TBLPROPERTIES ('write.data.path' = '${place}/data/guest')`,
    });
    await shore.age(`${place}/`);
    expect(await shore.wouldDelete(host)).toEqual(
      expect.arrayContaining([...(await dataFiles(guest))]),
    );
    await expectRefusal(shore, { table: host, prefix: `${place}/`, why: /guest keeps files at/ });
    await expectRefusal(shore, {
      table: guest,
      prefix: `${base}/`,
      why: /outside of its location/,
    });
    expect(await rows(guest)).toBe(2n);
  });
});

describe('siblings `t` and `t_2`', () => {
  it('are told apart: the orphan of one goes, the other keeps everything', async () => {
    const one = await makeTable(shore, 't', { location: `${base}/t` });
    const two = await makeTable(shore, 't_2', { location: `${base}/t_2` });
    const [orphan, others] = [`${base}/t/data/orphan.parquet`, `${base}/t_2/data/orphan.parquet`];
    await shore.age(`${base}/t`);
    await shore.putOld(orphan, 30 * DAY_MS);
    await shore.putOld(others, 30 * DAY_MS);
    const live = await dataFiles(two);
    // The danger: given a list, Spark matches `t_2` by the beginning of its name.
    const listed = [...live, others].map((uri) => `('${uri}')`).join(', ');
    await shore.spark(
      `CREATE OR REPLACE TEMPORARY VIEW siblings AS SELECT path AS file_path,
         TIMESTAMP '2020-01-01' AS last_modified FROM VALUES ${listed} AS listed(path)`,
    );
    const wanted = await shore.wouldDelete(one, ", file_list_view => 'siblings'");
    expect(wanted).toEqual(expect.arrayContaining([...live]));
    const before = await shore.under(`${base}/t_2/`);
    const told = await orphans(one);
    expect(told.receipt).toMatchObject({ status: 'done', filesRemoved: 1 });
    expect(await shore.exists(orphan)).toBe(false);
    expect(await shore.under(`${base}/t_2/`)).toEqual(before);
    expect([await rows(one), await rows(two)]).toEqual([2n, 2n]);
  });
});

describe('a table that is in no catalog of ours', () => {
  it('is known by its metadata, and nothing of it goes', async () => {
    const place = `${base}/home`;
    const home = await makeTable(shore, 'home', { location: place });
    const lodger = await makeTable(shore, 'lodger', { location: `${place}/lodger` });
    const others = await dataFiles(lodger);
    await forgetTable(lodger);
    await shore.age(`${place}/`);
    expect(await shore.wouldDelete(home)).toEqual(expect.arrayContaining([...others]));
    const told = await expectRefusal(shore, {
      table: home,
      prefix: `${place}/`,
      why: /metadata\.json is of table/,
    });
    expect(told.receipt.status).toBe('refused');
  });

  it('counts also when its metadata cannot be read', async () => {
    const table = await makeTable(shore, 'odd');
    const location = await shore.location(table);
    const odd = `${location}/metadata/00009-x.gz.metadata.json`;
    await shore.putOld(odd, 30 * DAY_MS, 'no metadata');
    expect(await shore.wouldDelete(table)).toContain(odd);
    await expectRefusal(shore, { table, prefix: `${location}/`, why: /cannot be read/ });
    await shore.putOld(odd, 30 * DAY_MS, '');
    await expectRefusal(shore, { table, prefix: `${location}/`, why: /cannot be read/ });
  });
});
