import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { describeTarget, ledgerError } from '../../src/ledger/connection.ts';
import { checkApplied, readMigrations } from '../../src/ledger/migrate.ts';

const URL_TEXT = 'postgres://ana:topsecret@db.internal:5499/lake';

test('a target is named without user and password', () => {
  expect(describeTarget(URL_TEXT)).toBe('db.internal:5499/lake');
  expect(describeTarget('postgresql://localhost/lake')).toBe('localhost:5432/lake');
});

test.each([
  ['28P01', 'CredentialsRejected'],
  ['3D000', 'LedgerUnavailable'],
  ['08006', 'LedgerUnavailable'],
  ['53300', 'LedgerUnavailable'],
  ['57P01', 'LedgerUnavailable'],
  ['57014', 'LedgerUnavailable'],
  ['40P01', 'LedgerUnavailable'],
  ['ECONNRESET', 'LedgerUnavailable'],
  ['23505', 'Internal'],
  ['42601', 'Internal'],
])('%s is %s', (code, name) => {
  const error = ledgerError(Object.assign(new Error('driver'), { code }), URL_TEXT);
  expect(error.code).toBe(name);
  expect(JSON.stringify([error.message, error.details])).not.toMatch(/topsecret|ana/);
});

test('a failure without a code is judged by its text', () => {
  const lost = ledgerError(new Error('Connection terminated unexpectedly'), URL_TEXT);
  expect(lost.code).toBe('LedgerUnavailable');
  expect(ledgerError(new Error('odd'), URL_TEXT).code).toBe('Internal');
  const tried = new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })]);
  expect(ledgerError(tried, URL_TEXT).message).toContain('db.internal:5499/lake');
});

test('migration files are numbered without a gap', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'icewright-migrations-'));
  const url = pathToFileURL(`${directory}/`);
  await writeFile(join(directory, '0001_a.sql'), 'select 1');
  await writeFile(join(directory, 'README.md'), 'no migration');
  expect((await readMigrations(url)).map((one) => one.number)).toEqual([1]);
  await writeFile(join(directory, '0003_c.sql'), 'select 3');
  await expect(readMigrations(url)).rejects.toThrow(/0003_c\.sql should be 0002_/);
  await rm(directory, { recursive: true });
});

test('what was applied must be a beginning of what is known', () => {
  const one = { number: 1, name: '0001_a.sql', checksum: 'a', sql: '' };
  const two = { number: 2, name: '0002_b.sql', checksum: 'b', sql: '' };
  expect(() => checkApplied([one, two], [one], 't')).not.toThrow();
  expect(() => checkApplied([one], [one, two], 't')).toThrow(/newer than this version/);
  expect(() => checkApplied([one], [{ ...one, checksum: 'z' }], 't')).toThrow(/was changed/);
});
