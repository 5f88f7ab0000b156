/** What the live safety tests share: objects made old, foreign tables, and what lies in the store. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { openCatalog, openTableFiles } from '../../src/lake.ts';
import { createObjectStore } from '../../src/storage/object-store.ts';
import { parseObjectUri } from '../../src/storage/uri.ts';
import { icewright, type Told } from './command-line.ts';
import { type Lake, openLake } from './lake.ts';

export const DAY_MS = 86_400_000;

const config = readConfig();

export interface Shore extends Lake {
  /** A namespace of this test file. */
  readonly namespace: string;
  readonly store: ReturnType<typeof createObjectStore>;
  readonly files: ReturnType<typeof openTableFiles>;
  /** Addresses of all objects under a prefix, sorted. */
  under(prefix: string): Promise<readonly string[]>;
  exists(uri: string): Promise<boolean>;
  /** Writes an object and says that it was written `ageMs` ago. */
  putOld(uri: string, ageMs: number, body?: string | Buffer): Promise<void>;
  /** Writes every object under a prefix again, as it is, and says that it is `ageMs` old. */
  age(prefix: string, ageMs?: number): Promise<void>;
  location(table: string): Promise<string>;
  /** What Spark's own procedure would delete of a table, unasked about anything else. */
  wouldDelete(table: string, more?: string): Promise<readonly string[]>;
}

export async function openShore(name: string): Promise<Shore> {
  const lake = openLake(name);
  const store = createObjectStore(config.storage);
  const files = openTableFiles(config, openCatalog(config));
  const client = openClient();
  const namespace = `${name}_${process.pid}`;
  await lake.spark(`CREATE NAMESPACE IF NOT EXISTS lake.${namespace}`);
  const under = async (prefix: string) => {
    const found: string[] = [];
    for await (const { uri } of store.list(prefix)) found.push(uri);
    return found;
  };
  const putOld: Shore['putOld'] = (uri, ageMs, body = 'left by a writer that died') =>
    put(client, uri, Buffer.from(body), Date.now() - ageMs);
  return {
    ...lake,
    namespace,
    store,
    files,
    under,
    putOld,
    exists: async (uri) => (await store.head(uri)) !== null,
    age: async (prefix, ageMs = 30 * DAY_MS) => {
      for (const uri of await under(prefix)) await rewrite(client, uri, Date.now() - ageMs);
    },
    location: async (table) => (await files.version(tableFromKey(table))).location,
    wouldDelete: async (table, more = '') => {
      const limit = new Date(Date.now() - 2 * DAY_MS).toISOString().replace('T', ' ');
      const rows = await lake.spark(
        `CALL lake.system.remove_orphan_files(table => '${table.replace(/^lake\./, '')}',
           older_than => TIMESTAMP '${limit}', dry_run => true, prefix_listing => true ${more})`,
      );
      return rows.map((row) => String(row.orphan_file_location));
    },
    close: async () => {
      client.destroy();
      store.close();
      await lake.close();
    },
  };
}

function openClient(): S3Client {
  const { endpoint, region, accessKeyId = '', secretAccessKey = '', pathStyle } = config.storage;
  return new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
  });
}

/** MinIO takes the time from a header, as it does for objects that are replicated to it. */
async function put(client: S3Client, uri: string, body: Buffer, atMs: number): Promise<void> {
  const { bucket, key } = parseObjectUri(uri);
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: body });
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      request.headers['x-minio-source-mtime'] = new Date(atMs).toISOString();
      return next(args);
    },
    { step: 'build' },
  );
  await client.send(command);
}

async function rewrite(client: S3Client, uri: string, atMs: number): Promise<void> {
  const { bucket, key } = parseObjectUri(uri);
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  await put(client, uri, body, atMs);
}

/** Makes a table with some history: `rows` inserts of one row each. */
export async function makeTable(
  shore: Shore,
  name: string,
  options: { location?: string; rows?: number; more?: string; namespace?: string } = {},
): Promise<string> {
  const { location, rows = 2, more = '', namespace = shore.namespace } = options;
  const table = `lake.${namespace}.${name}`;
  const place = location === undefined ? '' : `LOCATION '${location}'`;
  await shore.spark(
    `CREATE TABLE ${table} (id BIGINT, note STRING) USING iceberg ${place} ${more}`,
  );
  for (let row = 1; row <= rows; row += 1) {
    await shore.spark(`INSERT INTO ${table} VALUES (${row}, 'row ${row}')`);
  }
  return table;
}

export interface Removal {
  readonly exitCode: number;
  readonly receipt: Receipt;
  readonly message: string;
  readonly json: Told['json'];
}

/** `icewright orphans <table> … --wait`, with a short pause between the looks. */
export async function orphans(table: string, ...words: readonly string[]): Promise<Removal> {
  const told = await icewright(['orphans', table, '--pause', '1s', '--wait', ...words]);
  const receipt = told.json?.receipts?.[0] as Receipt;
  const message = String(told.json?.error?.message ?? receipt?.error?.message ?? '');
  return { exitCode: told.exitCode, receipt, message, json: told.json };
}

/** Refused with exit 3, and not one object is gone. */
export async function expectRefusal(
  shore: Shore,
  input: { readonly table: string; readonly prefix: string; readonly why: RegExp },
): Promise<Removal> {
  const before = await shore.under(input.prefix);
  const told = await orphans(input.table);
  expect({ exitCode: told.exitCode, message: told.message }).toEqual({
    exitCode: 3,
    message: expect.stringMatching(input.why),
  });
  expect(await shore.under(input.prefix)).toEqual(before);
  return told;
}
