/** Every place and layout in which a Parquet file can hold a subject, as PyArrow writes them. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openZoo } from '../peers/python.ts';
import {
  LOCATION,
  METADATA,
  metadataJson,
  OTHERS,
  tracesOf,
  VALUES,
  verifyOne,
} from '../verify/fixture.ts';
import { createMemoryStore } from '../verify/memory-store.ts';

let folder: string;
let rowFiles: readonly (readonly [string, string])[];
let names: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'icewright-zoo-'));
  const zoo = await openZoo();
  rowFiles = (await zoo({
    dir: folder,
    values: {
      key: VALUES.customer_id[0],
      email: VALUES.email[0],
      name: VALUES.full_name[0],
      session: VALUES.session[0],
    },
    others: {
      key: OTHERS.customer_id[0],
      email: OTHERS.email[0],
      name: OTHERS.full_name[0],
      session: `${VALUES.session[0]}2`,
    },
  })) as typeof rowFiles;
  names = await readdir(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function verifyFile(name: string) {
  const store = createMemoryStore();
  store.put(METADATA, metadataJson());
  store.put(`${LOCATION}/data/${name}`, await readFile(join(folder, name)));
  return verifyOne(store);
}

function identifierOf(place: string): string {
  if (place.startsWith('email')) return 'email';
  if (place.startsWith('name')) return 'full_name';
  return place === 'session' ? 'session' : 'customer_id';
}

describe('a subject in a row', () => {
  it('is found in every place and layout', async () => {
    expect(rowFiles.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    for (const [name, place] of rowFiles) {
      const verified = await verifyFile(`${name}.parquet`);
      const met = new Set(verified.traces.map((one) => one.identifier));
      const hows = new Set(verified.traces.map((one) => one.how));
      const right =
        met.size === 1 &&
        met.has(identifierOf(place)) &&
        (hows.has('row') || hows.has('dictionary')) &&
        verified.rowsRead === 2_000;
      if (!right) wrong.push(`${name}: ${tracesOf(verified)} of ${verified.rowsRead} rows`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('others, as alike as they may be', () => {
  it('are no traces, in any layout', async () => {
    const clean = names.filter((name) => name.includes('.clean.'));
    expect(clean.length).toBeGreaterThan(10);
    const wrong: string[] = [];
    for (const name of clean) {
      const verified = await verifyFile(name);
      if (verified.tracesFound > 0) wrong.push(`${name}: ${tracesOf(verified)}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a subject that is in no row', () => {
  it.each([
    ['property', 'email text'],
    ['gap', 'email text'],
    ['unused-dictionary', 'email dictionary'],
    ['footer.key', 'customer_id bounds'],
    ['footer.email', 'email bounds'],
    ['page-header.key', 'customer_id bounds'],
    ['page-header.email', 'email bounds'],
    ['page-index.key', 'customer_id bounds'],
    ['page-index.email', 'email bounds'],
    ['position-deletes', 'email row'],
    ['equality-deletes', 'customer_id row'],
    ['renamed-column', 'customer_id row'],
    ['without-ids', 'customer_id row'],
  ])('is found: %s', async (name, trace) => {
    expect(tracesOf(await verifyFile(`${name}.parquet`))).toEqual([`data ${trace}`]);
  });
});

describe('a damaged file', () => {
  it('is never read as an empty one, whichever byte is wrong', async () => {
    const bytes = await readFile(join(folder, 'small-pages.key.parquet'));
    const silent: number[] = [];
    for (let at = 4; at < bytes.length; at += Math.ceil(bytes.length / 120)) {
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] as number) ^ 0xff;
      const store = createMemoryStore();
      store.put(METADATA, metadataJson());
      store.put(`${LOCATION}/data/x.parquet`, broken);
      const { tracesFound } = await verifyOne(store);
      if (tracesFound === 0) silent.push(at);
    }
    expect(silent).toEqual([]);
  });
});
