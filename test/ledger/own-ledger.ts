/** A ledger of a test file's own, on a PostgreSQL of its own, with today's schema. */
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { type ClosableLedger, createLedger, type LedgerSettings } from '../../src/ledger/ledger.ts';
import { migrate } from '../../src/ledger/migrate.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';

export interface OwnLedger {
  server: TestPostgres;
  url: string;
  ledger: ClosableLedger;
  /** Past the ledger: what its tables hold. */
  sql(text: string): Promise<Record<string, unknown>[]>;
}

/** To be called once, at the top of a file; what it answers is filled before the first test. */
export function useOwnLedger(database: string, more: Partial<LedgerSettings> = {}): OwnLedger {
  const own = { sql: (text: string) => query(own.url, text) } as OwnLedger;
  beforeAll(async () => {
    own.server = await startPostgres();
    own.url = await own.server.createDatabase(database);
    await migrate(own.url);
    own.ledger = createLedger({ url: own.url, ...more });
  }, 60_000);
  afterAll(async () => {
    await own.ledger?.close();
    await own.server?.stop();
  }, 60_000);
  return own;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
