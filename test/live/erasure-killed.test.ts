/** The worker dies at every step, Spark in the middle: requests come to their end all the same. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TABLE_STEPS } from '../../src/domain/erasure/table-steps.ts';
import { stackStatus } from '../../stack/control.ts';
import { until } from './command-line.ts';
import { deleteByValue } from './equality-delete.ts';
import { makePeople, peoplePolicy, SOUGHT, SUBJECT } from './erasure-people.ts';
import { approve, certificateOf, type Office, openOffice, readRequest } from './erasure-support.ts';
import { scanBucket } from './independent-scan.ts';
import { recordOf } from './stack-support.ts';

const SPACE = 'lake.er_killed';
const [ONE, TWO] = [`${SPACE}.one`, `${SPACE}.two`];
/** The subject and two others of the same tables, in one batch. */
const KEYS = [SUBJECT.key, '1000007', '1000011'];

let office: Office;
const others = new Map<string, unknown>();

beforeAll(async () => {
  office = await openOffice('killed', { policy: peoplePolicy([ONE, TWO], '5s') });
  await makePeople(office, { table: ONE, version: 2, deletes: 'merge-on-read' });
  await makePeople(office, { table: TWO, version: 3, deletes: 'merge-on-read' });
  // Applies to nothing, and is left by every rewrite but one of all files of its partition.
  await deleteByValue(ONE, 'customer_id', '5', 'day=2026-01-01');
  for (const table of [ONE, TWO]) others.set(table, await remaining(table));
  await office.startWorker();
});
afterAll(async () => {
  for (const table of [ONE, TWO]) await office.lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await office?.close();
});

/** Rows of everybody who is not forgotten in this file. */
async function remaining(table: string): Promise<unknown> {
  const [row] = await office.lake.spark(
    `SELECT count(*) AS n, CAST(sum(CAST(xxhash64(*) AS DECIMAL(38, 0))) AS STRING) AS h
     FROM ${table} WHERE customer_id NOT IN (${KEYS.join(', ')})`,
  );
  return { n: Number(row?.n), h: row?.h };
}

/** Hears of every step and state at the moment in which the ledger has it. */
async function hearLedger(begun: (what: string) => void): Promise<pg.Client> {
  const tell = (name: string, text: string) =>
    `CREATE FUNCTION public.${name}() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN PERFORM pg_notify('begun', ${text}); RETURN NULL; END $$;`;
  await office.sql(
    `${tell('tell_step', "'step ' || NEW.ordinal")} ${tell('tell_state', "'state ' || NEW.state")}
     CREATE TRIGGER tell AFTER INSERT ON icewright.started_operation
       FOR EACH ROW EXECUTE FUNCTION public.tell_step();
     CREATE TRIGGER tell AFTER INSERT OR UPDATE OF state ON icewright.erasure_request
       FOR EACH ROW EXECUTE FUNCTION public.tell_state()`,
  );
  const client = new pg.Client({ connectionString: office.ledgerUrl });
  await client.connect();
  client.on('notification', ({ payload = '' }) => {
    const [kind = '', what = ''] = payload.split(' ');
    begun(`${kind} ${kind === 'step' ? TABLE_STEPS[Number(what)] : what}`);
  });
  await client.query('LISTEN begun');
  return client;
}

/** A person waits, or nobody does. */
const AT_REST = ['state awaiting_approval', 'state done'];

it('the worker is killed at every step, Spark once: all are done', async () => {
  const met: string[] = [];
  let dying: Promise<void> | null = null;
  const revive = async (what: string) => {
    await office.killWorker();
    if (what === 'step rewrite') {
      const { pid } = recordOf(await stackStatus(process.env.ICEWRIGHT_HOME ?? ''), 'spark');
      process.kill(pid ?? 0, 'SIGKILL');
    }
    await office.startWorker();
    dying = null;
  };
  const ledger = await hearLedger((what) => {
    if (dying !== null || met.includes(what) || AT_REST.includes(what)) return;
    met.push(what);
    dying = revive(what);
  });
  const ids: string[] = [];
  const words = ['erase', 'request', '--subject', 'customer:-', '--ground', 'Art. 17(1)(a)'];
  for (const key of KEYS) ids.push((await office.succeed(words, key)).requestId);
  const all = async (state: string) => {
    const requests = await Promise.all(ids.map((id) => readRequest(office, id)));
    expect(requests.map((one) => one.state)).not.toContain('failed');
    return requests.every((one) => one.state === state) ? true : null;
  };
  await until(() => all('awaiting_approval'));
  for (const id of ids) expect((await approve(office, id)).exitCode).toBe(0);
  await until(() => all('done'));
  await dying;
  await ledger.end();
  process.stdout.write(`killed ${met.length} times, at: ${met.join(', ')}\n`);
  const states = ['requested', 'forgetting', 'verifying'].map((one) => `state ${one}`);
  expect(met).toEqual(
    expect.arrayContaining([...states, ...TABLE_STEPS.map((one) => `step ${one}`)]),
  );
  for (const id of ids) {
    const { certificate } = await certificateOf(office, id);
    expect(certificate.tables.map((one) => [one.oracle.matchedAfter, one.rowsMatched > 0])).toEqual(
      [
        [0, true],
        [0, true],
      ],
    );
    expect(await office.succeed(['erase', 'verify', id, '--lake'])).toMatchObject({ ok: true });
  }
  expect((await scanBucket(office.bucket, SOUGHT)).where).toEqual([]);
  for (const [table, was] of others) expect(await remaining(table)).toEqual(was);
});
