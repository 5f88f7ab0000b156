/** The one place that opens connections to the ledger's database, and reads its errors. */
import pg from 'pg';
import { IcewrightError } from '../domain/errors.ts';

export interface LedgerOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** Connections at most; default 4: a worker's steps wait for engines, not for the ledger. */
  readonly poolSize?: number;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A statement that takes longer is ended by the server; default 15,000. */
  readonly statementTimeoutMs?: number;
}

/** What statements run on: the pool, or one connection inside a transaction. */
export interface Queryable {
  query(sql: string, values: readonly unknown[]): Promise<{ rows: unknown[] }>;
}

const APPLICATION = 'icewright';

/** `127.0.0.1:5433/icewright`: names the database without its password. */
export function describeTarget(url: string): string {
  const parsed = parseUrl(url);
  const port = parsed.port === '' ? '5432' : parsed.port;
  return `${parsed.hostname || 'localhost'}:${port}${parsed.pathname || '/'}`;
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed !== null && /^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  // The text itself may hold a password: it is not repeated.
  throw new IcewrightError(
    'ConfigInvalid',
    'the URL of the ledger is not of the form postgres://user:password@host:port/database',
  );
}

export function openPool(options: LedgerOptions): pg.Pool {
  parseUrl(options.url);
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: APPLICATION,
    max: options.poolSize ?? 4,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    // For a server that is gone without a word; the server's own limit comes first.
    query_timeout: (options.statementTimeoutMs ?? 15_000) + 5_000,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced at the next use; unheard, it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** Opens one connection of its own, for the migrations. */
export async function openClient(url: string, statementTimeoutMs: number): Promise<pg.Client> {
  parseUrl(url);
  const client = new pg.Client({
    connectionString: url,
    application_name: `${APPLICATION}-migrate`,
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw ledgerError(error, url);
  }
  return client;
}

/** Everything that `body` writes, or nothing. @throws IcewrightError as `ledgerError` reads it */
export async function inTransaction<T>(
  pool: pg.Pool,
  url: string,
  body: (db: Queryable) => Promise<T>,
): Promise<T> {
  let client: pg.PoolClient | null = null;
  try {
    client = await pool.connect();
    const connection = client;
    await connection.query('begin');
    const done = await body({ query: (sql, values) => connection.query(sql, [...values]) });
    await connection.query('commit');
    connection.release();
    return done;
  } catch (error) {
    // A connection that cannot roll back is of no more use.
    await client?.query('rollback').then(
      () => client?.release(),
      () => client?.release(true),
    );
    throw ledgerError(error, url);
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);
const ADVICE = 'check that PostgreSQL runs and that ICEWRIGHT_LEDGER_URL names it';

/**
 * What a failure of the driver means. Neither the password nor a row's values get into the message.
 */
export function ledgerError(error: unknown, url: string): IcewrightError {
  if (error instanceof IcewrightError) return error;
  const target = describeTarget(url);
  const code = codeOf(error);
  const text = (error as Error).message ?? '';
  const details = { target, sqlState: code };
  const fail = (name: 'LedgerUnavailable' | 'CredentialsRejected' | 'Internal', why: string) =>
    new IcewrightError(name, why, details, error);
  if (code === '28P01' || code === '28000') {
    return fail('CredentialsRejected', `the ledger at ${target} rejects the user or password`);
  }
  if (code === '3D000') {
    return fail(
      'LedgerUnavailable',
      `the ledger's database does not exist at ${target}; ${ADVICE}`,
    );
  }
  if (code === '57014') {
    return fail('LedgerUnavailable', `the ledger at ${target} took too long to answer`);
  }
  // 08: connection, 53: no room, 57P: shutting down or starting, 40: serialization, deadlock.
  const passing = /^(08|53|57P|40)/.test(code) || UNREACHABLE.has(code);
  if (passing || /timeout|terminated|not queryable/i.test(text)) {
    return fail(
      'LedgerUnavailable',
      `the ledger at ${target} cannot be reached (${code}); ${ADVICE}`,
    );
  }
  const hint = code === '42P01' || code === '3F000' ? '; was the ledger migrated?' : '';
  return fail('Internal', `the ledger at ${target} refused a statement: ${text}${hint}`);
}

/** SQLSTATE or system error code; several addresses tried give the first one's code. */
function codeOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const code = (inner as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'no code';
}

/** JSON that jsonb takes: foreign texts may hold what PostgreSQL refuses, NUL and half characters. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'string' ? one.toWellFormed().replaceAll('\0', '\ufffd') : one,
  );
}
