/** Forgetting at a PostgreSQL source, and keeping what was forgotten from being handed over again. */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { SourceEraser, TellingRow } from '../activities/erasure/deps.ts';
import { mergeValues, type SourceMapping, type SubjectValues } from '../domain/erasure/privacy.ts';
import { IcewrightError } from '../domain/errors.ts';
import { hmacPads } from '../domain/model/sql.ts';

export interface SourceOptions {
  /** Name of a source → its `postgres://` address. */
  readonly urls: Readonly<Record<string, string>>;
  /** A statement that takes longer is ended by the server; default 10 minutes. */
  readonly statementTimeoutMs?: number;
}

/** More are a fault of the policy: one person is meant. */
const TOLD_MAX = 200_000;

const SUPPRESSION_SQL = new URL('./suppression.sql', import.meta.url);

export function createSourceEraser(options: SourceOptions): SourceEraser {
  return {
    tell: (source, values) => connected(options, source, (client) => tell(client, source, values)),
    forget: (source, values) =>
      connected(options, source, (client) => forget(client, source, values)),
    suppress: (source, list) =>
      connected(options, source, async (client) => {
        await client.query(await readFile(SUPPRESSION_SQL, 'utf8'));
        for (const { identifier, hash, key } of list) await suppress(client, identifier, hash, key);
      }),
  };
}

/** All statements or none. */
async function forget(
  client: pg.Client,
  source: SourceMapping,
  values: SubjectValues,
): Promise<{ readonly rowsRemoved: number; readonly told: readonly TellingRow[] }> {
  await client.query('BEGIN');
  const told = await tell(client, source, values);
  const known = mergeValues([values, ...told.map(valuesIn)]);
  let rowsRemoved = 0;
  for (const statement of source.forget) {
    rowsRemoved += (await query(client, statement, known)).rowCount ?? 0;
  }
  await client.query('COMMIT');
  return { rowsRemoved, told };
}

/** Each statement may go by what those before it told. */
async function tell(
  client: pg.Client,
  source: SourceMapping,
  values: SubjectValues,
): Promise<readonly TellingRow[]> {
  const told: TellingRow[] = [];
  let known = values;
  for (const statement of source.tell ?? []) {
    const { rows } = await query(client, statement, known);
    if (rows.length > TOLD_MAX) {
      const message = `a statement of "tell" of source "${source.name}" answers ${rows.length} rows`;
      throw new IcewrightError('PolicyInvalid', `${message}: it joins more than one person`);
    }
    const texts = (rows as Record<string, unknown>[]).map(textsOf);
    for (const one of texts) told.push(one);
    known = mergeValues([known, ...texts.map(valuesIn)]);
  }
  return told;
}

function query(client: pg.Client, statement: string, values: SubjectValues) {
  const { text, names } = numbered(statement);
  return client.query(
    text,
    names.map((name) => values[name] ?? []),
  );
}

function textsOf(row: Record<string, unknown>): TellingRow {
  const entries = Object.entries(row);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value == null ? null : `${value}`]),
  );
}

function valuesIn(row: TellingRow): SubjectValues {
  const entries = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, [value as string]]));
}

/** `:customer_id` becomes `$1::text[]`; a cast, `::bigint[]`, stays. */
export function numbered(statement: string): {
  readonly text: string;
  readonly names: readonly string[];
} {
  const names: string[] = [];
  const text = statement.replace(/(?<!:):([a-z][a-z0-9_]*)/g, (_all, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}::text[]`;
  });
  return { text, names };
}

async function suppress(
  client: pg.Client,
  identifier: string,
  hash: string,
  key: string,
): Promise<void> {
  const pads = hmacPads(key);
  await client.query(
    `INSERT INTO icewright_erasure.suppression_key (identifier, inner_pad, outer_pad)
     VALUES ($1, decode($2, 'hex'), decode($3, 'hex'))
     ON CONFLICT (identifier) DO NOTHING`,
    [identifier, pads.hmac_inner_pad, pads.hmac_outer_pad],
  );
  await client.query(
    `INSERT INTO icewright_erasure.suppressed (identifier, digest) VALUES ($1, decode($2, 'hex'))
     ON CONFLICT (identifier, digest) DO NOTHING`,
    [identifier, hash],
  );
}

async function connected<T>(
  { urls, statementTimeoutMs = 600_000 }: SourceOptions,
  { name }: SourceMapping,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const url = urls[name];
  if (url === undefined) {
    const variable = `ICEWRIGHT_SOURCE_${name.toUpperCase().replaceAll('-', '_')}_URL`;
    const message = `the address of source "${name}" is not known: set ${variable}`;
    throw new IcewrightError('ConfigInvalid', message, { source: name });
  }
  const client = new pg.Client({
    connectionString: url,
    application_name: 'icewright-erasure',
    connectionTimeoutMillis: 10_000,
    statement_timeout: statementTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw sourceError(error, name);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** PostgreSQL's own text may quote a row: only its code goes on. */
function sourceError(error: unknown, source: string): IcewrightError {
  if (error instanceof IcewrightError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const sqlState = typeof code === 'string' ? code : 'no code';
  const refused = /^(42|23|22)/.test(sqlState);
  const message = refused
    ? `source "${source}" refused a statement of its "forget" (${sqlState}): try them by hand`
    : `source "${source}" cannot be reached (${sqlState})`;
  return new IcewrightError(refused ? 'PolicyInvalid' : 'SourceUnavailable', message, {
    source,
    sqlState,
  });
}
