/** Brings the ledger's schema forward, never back. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { IcewrightError } from '../domain/errors.ts';
import { describeTarget, ledgerError, openClient } from './connection.ts';

export interface Migration {
  readonly number: number;
  /** File name, for example `0001_ledger.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file. */
  readonly checksum: string;
}

interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/** Any constant will do, as long as every version of Icewright takes the same one. */
const LOCK_KEY = 1_229_149_522;
/** A migration may have to rewrite a table, or wait for another process that migrates. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;
const DIRECTORY = new URL('./migrations/', import.meta.url);

/**
 * Applies what is missing, each file once, in order, in a transaction of its own. Processes that
 * start together wait for each other. Answers the names of the files that were applied.
 * Rejects with `SafetyRefused` when the database is newer than this version, or an old file was
 * changed.
 */
export async function migrate(url: string, directory = DIRECTORY): Promise<readonly string[]> {
  const known = await readMigrations(directory);
  const client = await openClient(url, STATEMENT_TIMEOUT_MS);
  try {
    // Held by the session: it ends with the connection, whatever happens in between.
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    await createMigrationTable(client);
    const applied = await readApplied(client);
    checkApplied(known, applied, describeTarget(url));
    const missing = known.slice(applied.length);
    for (const migration of missing) await applyMigration(client, migration);
    return missing.map((migration) => migration.name);
  } catch (error) {
    throw ledgerError(error, url);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The files in order. Throws `Internal` for a gap, a duplicate, or a name of another form. */
export async function readMigrations(directory: URL): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const found: Migration[] = [];
  for (const name of names) {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1] ?? Number.NaN);
    if (number !== found.length + 1) {
      const wanted = String(found.length + 1).padStart(4, '0');
      throw new IcewrightError('Internal', `migration ${name} should be ${wanted}_<name>.sql`);
    }
    const sql = await readFile(new URL(name, directory), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    found.push({ number, name, sql, checksum });
  }
  return found;
}

/** Throws `SafetyRefused` unless what was applied is a beginning of what is known. */
export function checkApplied(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
  target: string,
): void {
  for (const [index, one] of applied.entries()) {
    const same = known[index];
    if (same === undefined || same.number !== one.number) {
      throw new IcewrightError(
        'SafetyRefused',
        `the ledger at ${target} is newer than this version of Icewright: it has migration ` +
          `${one.name}; use the version that wrote it, or a later one`,
        { target, migration: one.name },
      );
    }
    if (same.checksum !== one.checksum) {
      throw new IcewrightError(
        'SafetyRefused',
        `migration ${one.name} was changed after the ledger at ${target} had applied it; restore ` +
          'the file and put the change into a new migration',
        { target, migration: one.name },
      );
    }
  }
}

async function createMigrationTable(client: pg.Client): Promise<void> {
  await client.query('create schema if not exists icewright');
  await client.query(
    `create table if not exists icewright.migration (
       number     integer primary key,
       name       text not null,
       checksum   text not null,
       applied_at timestamptz not null default now()
     )`,
  );
}

async function readApplied(client: pg.Client): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query(
    'select number, name, checksum from icewright.migration order by number',
  );
  return rows as AppliedMigration[];
}

async function applyMigration(client: pg.Client, migration: Migration): Promise<void> {
  const { number, name, sql, checksum } = migration;
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query(
      'insert into icewright.migration (number, name, checksum) values ($1, $2, $3)',
      [number, name, checksum],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
