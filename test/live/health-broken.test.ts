/** Tables that are really broken: each carries its finding, and the sweep goes on over the rest. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createObjectStore, type ObjectStore } from '../../src/storage/object-store.ts';
import { icewright, succeed } from './command-line.ts';
import { forgetTable, type Lake, openLake } from './lake.ts';

const { settings } = inject('stack');
const config = readConfig();
const TABLES = ['fine', 'lost_manifest', 'cut_list', 'lost_metadata', 'hanging'];

let lake: Lake;
let store: ObjectStore;

beforeAll(async () => {
  lake = openLake('broken');
  store = createObjectStore(config.storage);
  // No sweep of its own may read the tables before they are broken.
  await succeed(['health', '--interval', '1d']);
  // Nor one that is under way.
  await succeed(['health', '--now']);
  await lake.spark('CREATE NAMESPACE IF NOT EXISTS lake.broken');
  for (const name of TABLES) {
    await lake.spark(`CREATE TABLE lake.broken.${name} (id BIGINT) USING iceberg`);
    await lake.spark(`INSERT INTO lake.broken.${name} VALUES (1)`);
  }
  await remove(await newest('lost_manifest', 'path', 'manifests', 'added_snapshot_id'));
  const list = await newest('cut_list', 'manifest_list', 'snapshots', 'committed_at');
  await put(list, (await store.get(list, 2 ** 20)).subarray(0, -40));
  await remove(await newest('lost_metadata', 'file', 'metadata_log_entries', 'timestamp'));
});

afterAll(async () => {
  await succeed(['health', '--interval', '5m']);
  for (const name of TABLES) await forgetTable(`lake.broken.${name}`);
  store.close();
  await lake.close();
});

async function newest(table: string, column: string, of: string, by: string): Promise<string> {
  const rows = await lake.spark(
    `SELECT ${column} AS uri FROM lake.broken.${table}.${of} ORDER BY ${by} DESC LIMIT 1`,
  );
  return String(rows[0]?.uri);
}

async function remove(uri: string): Promise<void> {
  expect(await store.delete([{ uri }])).toEqual([]);
}

async function put(uri: string, body: Buffer): Promise<void> {
  const { endpoint, region, accessKeyId = '', secretAccessKey = '', pathStyle } = config.storage;
  const client = new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
  });
  const { host, pathname } = new URL(uri);
  await client.send(new PutObjectCommand({ Bucket: host, Key: pathname.slice(1), Body: body }));
  client.destroy();
}

async function readable(table: string): Promise<string | undefined> {
  const answer = await fetch(`http://${settings.ICEWRIGHT_HTTP_ADDRESS}/metrics`);
  // Other tests have tables of the same names.
  const labels = `.*namespace="broken",table="${table}"`;
  const sample = new RegExp(`^iceberg_table_readable\\{${labels}\\} (\\d)$`, 'm');
  return sample.exec(await answer.text())?.[1];
}

interface Shown {
  readonly table: string;
  readonly findings: readonly { readonly code: string; readonly message: string }[];
}

const WHY: Readonly<Record<string, RegExp>> = {
  lost_manifest: /m0\.avro/,
  cut_list: /snap-.*is damaged/,
  lost_metadata: /lost_metadata/,
  hanging: /60 s|did not answer|timed? ?out/i,
};

function expectFindings(tables: readonly Shown[], broken: readonly string[]): void {
  for (const name of TABLES) {
    const shown = tables.find((one) => one.table === `lake.broken.${name}`);
    const unreadable = shown?.findings.find((one) => one.code === 'unreadable');
    if (broken.includes(name)) expect(unreadable?.message).toMatch(WHY[name] as RegExp);
    else expect([name, unreadable]).toEqual([name, undefined]);
  }
}

describe('a missing manifest, a truncated manifest list, a metadata file that is gone', () => {
  const BROKEN = ['lost_manifest', 'cut_list', 'lost_metadata'];

  it('are told by the command, which measures the rest', async () => {
    const told = await icewright(['health', 'broken.*']);
    expect(told.exitCode).toBe(0);
    expect(told.json.engineQueries).toBe(0);
    expectFindings(told.json.tables, BROKEN);
  });

  it('are found by the sweep, which finishes, and shown by the metric', async () => {
    const sweep = await succeed(['health', '--now']);
    const failing = TABLES.filter((name) => sweep.last.failing.includes(`lake.broken.${name}`));
    expect(failing).toEqual(BROKEN);
    for (const name of TABLES) {
      expect([name, await readable(name)]).toEqual([name, BROKEN.includes(name) ? '0' : '1']);
    }
  });
});

describe('a catalog that does not answer for one table', () => {
  let proxy: Server;

  beforeAll(async () => {
    proxy = createServer((request, response) => {
      if (request.url?.includes('/tables/hanging')) return;
      const { authorization } = request.headers;
      const headers = authorization === undefined ? {} : { authorization };
      void fetch(new URL(request.url ?? '/', config.catalog.url), { headers })
        .then(async (answer) => {
          response.writeHead(answer.status, { 'content-type': 'application/json' });
          response.end(await answer.text());
        })
        .catch(() => response.destroy());
    });
    await new Promise<void>((listening) => {
      proxy.listen(0, '127.0.0.1', listening);
    });
  });

  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  it('costs that table its measurement, and no other', async () => {
    const { port } = proxy.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const told = await icewright(['health', 'broken.*'], { ICEWRIGHT_CATALOG_URL: url });
    expect(told.exitCode).toBe(0);
    expectFindings(told.json.tables, ['lost_manifest', 'cut_list', 'lost_metadata', 'hanging']);
  });
});
