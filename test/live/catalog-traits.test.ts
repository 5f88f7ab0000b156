/** What a catalog allows is found out: a real one behind a door that lets no commit through. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { canRun } from '../../src/domain/planner/capability.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { readRetentionFloors } from '../../src/engines/trino/floors.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { openCatalog } from '../../src/lake.ts';
import { type Engines, makeTable, openEngines, scatter } from './capability-shapes.ts';

const TABLE = 'lake.traits.t';
const config = readConfig();
let engines: Engines;
let door: Server;
let url: string;

/** Passes on what reads; tells of no endpoint that writes, and of no ETag. */
async function openDoor(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { authorization = '' } = request.headers;
    const answer = await fetch(`${config.catalog.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, accept: 'application/json' },
    });
    let body = await answer.text();
    if (request.url?.startsWith('/v1/config')) {
      const told = JSON.parse(body) as { endpoints: string[] };
      const endpoints = told.endpoints.filter((one) => /^(GET|HEAD) /.test(one));
      body = JSON.stringify({ ...told, endpoints });
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

beforeAll(async () => {
  engines = openEngines();
  await engines.run('spark', 'CREATE NAMESPACE IF NOT EXISTS lake.traits');
  await makeTable(engines, TABLE, 2);
  await scatter(engines, TABLE);
  door = await openDoor();
  url = `http://127.0.0.1:${(door.address() as { port: number }).port}`;
});
afterAll(async () => {
  await engines?.run('spark', `DROP TABLE IF EXISTS ${TABLE}`);
  await engines?.close();
  door?.close();
});

test('the catalog of the stack sends ETags and accepts commits', async () => {
  const { traits } = await engines.measure(TABLE);
  expect(traits).toEqual({ sendsEtags: true, acceptsCommits: true, trinoFloors: null });
});

test('a catalog without the endpoint of commits is read, and not maintained', async () => {
  const behind = openCatalog({ ...config, catalog: { ...config.catalog, url } });
  const options = { nowMs: Date.now(), depth: 'metadata' } as const;
  const health = await behind.measureTable(tableFromKey(TABLE), options);
  expect(health.traits).toEqual({ sendsEtags: false, acceptsCommits: false, trinoFloors: null });
  expect(canRun('compact binpack', 'spark', health)).toMatch(/accepts no commits/);
});

test('Spark refuses to compact there, too', async () => {
  const { storage, catalog } = config;
  const settings = {
    'spark.sql.catalog.behind': 'org.apache.iceberg.spark.SparkCatalog',
    'spark.sql.catalog.behind.type': 'rest',
    'spark.sql.catalog.behind.uri': url,
    'spark.sql.catalog.behind.token': catalog.token ?? '',
    'spark.sql.catalog.behind.warehouse': catalog.warehouse ?? '',
    'spark.sql.catalog.behind.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    'spark.sql.catalog.behind.client.region': storage.region,
    'spark.sql.catalog.behind.s3.endpoint': storage.endpoint ?? '',
    'spark.sql.catalog.behind.s3.path-style-access': 'true',
    'spark.sql.catalog.behind.s3.access-key-id': storage.accessKeyId ?? '',
    'spark.sql.catalog.behind.s3.secret-access-key': storage.secretAccessKey ?? '',
  };
  const args = `table => 'traits.t', options => map('rewrite-all', 'true')`;
  const sql = `CALL behind.system.rewrite_data_files(${args})`;
  const said = await engines.refusal('spark', sql, { settings });
  expect(said).toMatch(/does not support endpoint: POST \/v1\/\{prefix\}\/namespaces/);
  const { snapshots } = await engines.measure(TABLE);
  expect(snapshots).toHaveLength(1);
});

test('Trino tells the floors of its catalog', async () => {
  const runner = createTrinoRunner({ ...config.trino, catalog: config.catalog.name });
  const week = 7 * 86_400_000;
  const floors = await readRetentionFloors(runner, config.catalog.name);
  expect(floors).toEqual({ expireSnapshotsMs: week, removeOrphansMs: week });
  await runner.close();
});
