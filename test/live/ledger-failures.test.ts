import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLedger } from '../../src/ledger/ledger.ts';
import { migrate } from '../../src/ledger/migrate.ts';
import { freePort, startPostgres, type TestPostgres } from '../ledger/postgres.ts';
import { run } from '../ledger/rows.ts';

let server: TestPostgres;
let url: string;

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase('failures');
  await migrate(url);
}, 60_000);

afterAll(async () => {
  await server?.stop();
}, 60_000);

/** How a call fails against a URL; the message must never show the password. */
async function failureOf(target: string) {
  const ledger = createLedger({ url: target, connectTimeoutMs: 2_000 });
  try {
    await ledger.ping();
    throw new Error('it did not fail');
  } catch (error) {
    expect(JSON.stringify({ error, text: String(error) })).not.toContain(server.password);
    return error as { code: string; message: string };
  } finally {
    await ledger.close();
  }
}

test('nobody listens there', async () => {
  const port = await freePort();
  const failure = await failureOf(url.replace(String(server.port), String(port)));
  expect(failure.code).toBe('LedgerUnavailable');
  expect(failure.message).toContain(`127.0.0.1:${port}/failures cannot be reached (ECONNREFUSED)`);
});

test('the database is not there', async () => {
  const failure = await failureOf(url.replace('/failures', '/nowhere'));
  expect(failure.code).toBe('LedgerUnavailable');
  expect(failure.message).toContain(`does not exist at 127.0.0.1:${server.port}/nowhere`);
});

test('the password is wrong', async () => {
  const failure = await failureOf(url.replace(server.password, 'wrong-secret'));
  expect(failure.code).toBe('CredentialsRejected');
  expect(failure.message).not.toContain('wrong-secret');
});

test('the URL is none', () => {
  expect(() => createLedger({ url: 'mysql://u:topsecret@h/d' })).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid' }),
  );
  expect(() => createLedger({ url: 'topsecret' })).toThrow(/^(?!.*topsecret)/);
});

test('a schema that was never made', async () => {
  const ledger = createLedger({ url: await server.createDatabase('bare') });
  await expect(ledger.readRun('x')).rejects.toMatchObject({
    code: 'Internal',
    message: expect.stringContaining('was the ledger migrated?'),
  });
  await ledger.close();
});

describe('a server that goes away', () => {
  test('fails the calls meanwhile, and serves them again afterwards', async () => {
    const ledger = createLedger({ url, connectTimeoutMs: 2_000 });
    await ledger.saveRun(run('before'));
    await server.pause();
    await expect(ledger.saveRun(run('meanwhile'))).rejects.toMatchObject({
      code: 'LedgerUnavailable',
    });
    await server.resume();
    await ledger.saveRun(run('after'));
    expect(await ledger.readRun('before')).toEqual(run('before'));
    expect(await ledger.readRun('meanwhile')).toBeNull();
    await ledger.close();
  }, 60_000);
});

test('a statement that waits too long is ended', async () => {
  const ledger = createLedger({ url, statementTimeoutMs: 200 });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin; lock table icewright.run in access exclusive mode');
  await expect(ledger.readRun('before')).rejects.toMatchObject({
    code: 'LedgerUnavailable',
    message: expect.stringContaining('took too long'),
  });
  await client.query('rollback');
  await client.end();
  await ledger.close();
});
