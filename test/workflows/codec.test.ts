/** Encrypted payloads on a real server: what is stored, what is read, with which keys. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINE_QUEUES, runWorkflowId } from '../../src/domain/ids.ts';
import {
  FAILURE_CONVERTER,
  openDataConverter,
  type PayloadKeys,
} from '../../src/temporal/codec.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { awaitRun, requestJob } from '../../src/temporal/jobs.ts';
import { ensureTemporal } from '../../stack/provision/parts.ts';
import { newHexKey } from '../proof/fixture.ts';
import { decryptHistory } from '../replay/decrypt.ts';
import { jobOf, newTable, receipt } from './environment.ts';

const SECRET = "customer_id = '424242' and email = 'ana@example.org'";
const [oldKey, newKey] = [`old:${newHexKey()}`, `new:${newHexKey()}`];
const OLD = { keys: oldKey, keysFile: undefined };
const ROTATED = { keys: `${newKey},${oldKey}`, keysFile: undefined };

let env: TestWorkflowEnvironment;
let bundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const path = await ensureTemporal(() => {});
  const executable = { type: 'existing-path', path } as const;
  env = await TestWorkflowEnvironment.createLocal({ server: { executable, ui: false } });
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    failureConverterPath: FAILURE_CONVERTER,
    logger,
  });
});

afterAll(async () => {
  for (const close of closers) await close();
  await env?.teardown();
});

async function connect(payloadKeys?: PayloadKeys): Promise<Client> {
  const options = { address: env.address, namespace: 'default', tls: false, apiKey: undefined };
  const { client, close } = await connectTemporal({
    ...options,
    ...(payloadKeys === undefined ? {} : { payloadKeys }),
  });
  closers.push(close);
  return client;
}

/** Runs `body` while a worker with these keys serves; its engine fails with the secret. */
async function serve<T>(keys: PayloadKeys | undefined, body: () => Promise<T>): Promise<T> {
  const dataConverter = openDataConverter(keys);
  const shared = {
    connection: env.nativeConnection,
    workflowBundle: bundle,
    activities: {
      recordQueued: async () => {},
      closeRun: async () => {},
      endStatement: async () => {},
      openRun: async ({ job }: { job: { runId: string } }) => ({
        planId: job.runId,
        steps: [{ ordinal: 0, kind: 'compact', engine: 'spark' }],
        refused: [],
      }),
      runOperation: async ({ planId }: { planId: string }) => {
        if (planId.includes('good')) return receipt();
        throw ApplicationFailure.nonRetryable(`refused: ${SECRET}`, 'EngineRejected', [SECRET]);
      },
    },
    ...(dataConverter === null ? {} : { dataConverter }),
  };
  const workers = await Promise.all(
    ['icewright-control', ENGINE_QUEUES.spark].map((taskQueue) =>
      Worker.create({ ...shared, taskQueue }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    return await body();
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  }
}

async function run(client: Client, runId: string) {
  const table = newTable();
  const job = { ...jobOf(runId), title: `compact where ${SECRET}` };
  await requestJob(client, table, job);
  return awaitRun(client, table, runId);
}

/** As the server has it: `temporal workflow show -o json` says the same. */
async function stored(runId: string): Promise<{ readonly json: string; readonly bytes: string }> {
  const plain = await connect();
  const history = await plain.workflow.getHandle(runWorkflowId(runId)).fetchHistory();
  const { historyToJSON } = await import('@temporalio/common/lib/proto-utils.js');
  const json = historyToJSON(history);
  const bytes = json.replace(/"data": *"([^"]*)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString('latin1'),
  );
  return { json, bytes };
}

describe('payloads', () => {
  test('without keys stand in clear: the test would see a secret', async () => {
    const client = await connect();
    const outcome = await serve(undefined, () => run(client, 'clear'));
    expect(outcome.error?.message).toContain(SECRET);
    const { json, bytes } = await stored('clear');
    // The failure's message is text; the arguments are payloads.
    expect([json.includes('424242'), bytes.includes(`compact where ${SECRET}`)]).toEqual([
      true,
      true,
    ]);
  });

  test('with keys hide arguments, results, failures and summaries; our commands read them', async () => {
    const client = await connect(OLD);
    const outcome = await serve(OLD, () => run(client, 'hidden'));
    expect(outcome).toMatchObject({ state: 'failed', error: { code: 'EngineRejected' } });
    expect(outcome.error?.message).toContain(SECRET);
    const { json, bytes } = await stored('hidden');
    expect(json).toContain('Encoded failure');
    const texts = ['424242', 'ana@example.org'];
    expect(texts.filter((text) => json.includes(text) || bytes.includes(text))).toEqual([]);
    // Names of types, ids and queues stay: they hold nothing personal.
    expect(json).toContain('tableMaintenance');
  });

  test('of an old key, and those from before there were keys, are read on', async () => {
    const client = await connect(ROTATED);
    const read = (runId: string) => client.workflow.getHandle(runWorkflowId(runId)).result();
    for (const runId of ['clear', 'hidden']) {
      expect(await read(runId)).toMatchObject({ error: { code: 'EngineRejected' } });
    }
    const outcome = await serve(ROTATED, () => run(client, 'good-rotated'));
    expect(outcome).toMatchObject({ state: 'done', receipts: [receipt()] });
    const { json } = await stored('good-rotated');
    expect(json).toContain(Buffer.from('new').toString('base64'));
    await expect(
      (await connect(OLD)).workflow.getHandle(runWorkflowId('good-rotated')).result(),
    ).rejects.toThrow(/encryption key "new" is not configured/);
  });

  test('replay, encrypted with the keys and decrypted without', async () => {
    const { historyFromJSON, historyToJSON } = await import(
      '@temporalio/common/lib/proto-utils.js'
    );
    const client = await connect();
    const history = await client.workflow.getHandle(runWorkflowId('hidden')).fetchHistory();
    const dataConverter = openDataConverter(ROTATED);
    if (dataConverter === null) throw new Error('no keys');
    await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter }, history);
    const json: unknown = JSON.parse(historyToJSON(history));
    const clear = await decryptHistory(json, dataConverter);
    const encoding = Buffer.from('binary/encrypted').toString('base64');
    const contains = (value: unknown) => JSON.stringify(value).includes(encoding);
    expect([contains(json), contains(clear)]).toEqual([true, false]);
    await Worker.runReplayHistory({ workflowBundle: bundle }, historyFromJSON(clear));
  });
});
