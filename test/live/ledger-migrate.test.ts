import { readdirSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../src/ledger/migrate.ts';
import { dumpSchema } from '../ledger/introspect.ts';
import { startPostgres, type TestPostgres } from '../ledger/postgres.ts';

const SOURCE = join(import.meta.dirname, '../../src/ledger/migrations');
const ALL = readdirSync(SOURCE).sort();
const FIRST = ALL[0] as string;
/** After all of today's. */
const LATER = `${String(ALL.length + 1).padStart(4, '0')}_later.sql`;

let server: TestPostgres;
let directory: string;
let databases = 0;

beforeAll(async () => {
  server = await startPostgres();
  directory = await mkdtemp(join(tmpdir(), 'icewright-migrations-'));
  for (const name of ALL) await copyFile(join(SOURCE, name), join(directory, name));
}, 60_000);

afterAll(async () => {
  await server?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
}, 60_000);

function fresh(): Promise<string> {
  databases += 1;
  return server.createDatabase(`migrate_${databases}`);
}

function own(): URL {
  return pathToFileURL(`${directory}/`);
}

test('all migrations together give the schema of test/ledger/schema.sql', async () => {
  const url = await fresh();
  await migrate(url);
  const golden = join(import.meta.dirname, '../ledger/schema.sql');
  await expect(await dumpSchema(url, 'icewright')).toMatchFileSnapshot(golden);
});

test('each is applied once, whoever comes first', async () => {
  const url = await fresh();
  const applied = await Promise.all([migrate(url), migrate(url), migrate(url)]);
  expect(applied.flat()).toEqual(ALL);
  expect(await migrate(url)).toEqual([]);
});

test('a later file is applied alone; a failing one leaves nothing behind', async () => {
  const url = await fresh();
  await migrate(url);
  const later = join(directory, LATER);
  await writeFile(later, 'create table icewright.extra (id int); select no_such_function();');
  await expect(migrate(url, own())).rejects.toMatchObject({ code: 'Internal' });
  expect(await dumpSchema(url, 'icewright')).not.toContain('extra');
  await writeFile(later, 'create table icewright.extra (id int);');
  expect(await migrate(url, own())).toEqual([LATER]);
  expect(await dumpSchema(url, 'icewright')).toContain('extra.id integer');

  // Now this version is older than the database.
  await expect(migrate(url)).rejects.toMatchObject({
    code: 'SafetyRefused',
    message: expect.stringMatching(new RegExp(`newer than this version.*${LATER}`)),
  });
  await rm(later);
});

test('an old file that was changed is refused', async () => {
  const url = await fresh();
  await migrate(url);
  const path = join(directory, FIRST);
  const text = await readFile(path, 'utf8');
  await writeFile(path, `${text}\n-- harmless?\n`);
  await expect(migrate(url, own())).rejects.toMatchObject({
    code: 'SafetyRefused',
    message: expect.stringContaining(`migration ${FIRST} was changed`),
  });
  await writeFile(path, text);
});

test('a process that died while it migrated holds nothing up', async () => {
  const url = await fresh();
  const dead = new pg.Client({ connectionString: url });
  await dead.connect();
  await dead.query('select pg_advisory_lock(1229149522)');
  const waiting = migrate(url);
  await dead.end();
  expect(await waiting).toEqual(ALL);
});
