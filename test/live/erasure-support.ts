/**
 * An office of its own for erasures: a worker, a ledger, a Temporal namespace, policies, models and
 * a bucket with versions, on the engines and services of the live stack.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pg from 'pg';
import { PROJECT_DIR, readConfig, WORKER_NODE_FLAGS } from '../../src/config.ts';
import type { SignedCertificate } from '../../src/domain/erasure/certificate.ts';
import type { ErasureRequest, ErasureState } from '../../src/domain/erasure/request.ts';
import { migrate } from '../../src/ledger/migrate.ts';
import { createObjectStore, type ObjectStore } from '../../src/storage/object-store.ts';
import { findFreePort } from '../../stack/ports.ts';
import { icewright, type Told, until } from './command-line.ts';
import { openS3 } from './independent-scan.ts';
import { type Lake, openLake } from './lake.ts';

export interface Office {
  readonly name: string;
  /** For files of a test; gone at its end. */
  readonly folder: string;
  readonly lake: Lake;
  readonly bucket: string;
  /** `s3://bucket` */
  readonly base: string;
  readonly s3: S3Client;
  readonly store: ObjectStore;
  readonly ledgerUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the worker's output goes, over all its lives. */
  readonly logFile: string;
  icewright(words: readonly string[], input?: string): Promise<Told>;
  /** As {@link Office.icewright}, for commands that must succeed. */
  succeed(words: readonly string[], input?: string): Promise<Told['json']>;
  sql(text: string): Promise<Record<string, unknown>[]>;
  startWorker(): Promise<void>;
  /** SIGKILL. */
  killWorker(): Promise<void>;
  metrics(): Promise<string>;
  close(): Promise<void>;
}

export interface OfficeOptions {
  /** Text of `privacy.yaml`. */
  readonly policy: string;
  /** File below `models/` → its text. */
  readonly models?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Keep versions of objects; default `true`. */
  readonly versions?: boolean;
}

export async function openOffice(name: string, options: OfficeOptions): Promise<Office> {
  const folder = mkdtempSync(join(tmpdir(), `icewright-${name}-`));
  const unique = `${name}-${process.pid}`;
  const env = await environmentOf(unique, folder, options);
  const ledgerUrl = env.ICEWRIGHT_LEDGER_URL as string;
  await migrate(ledgerUrl);
  const bucket = unique.replaceAll('_', '-');
  const s3 = openS3();
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  if (options.versions !== false) {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  }
  const lake = openLake(unique);
  const store = createObjectStore(readConfig().storage);
  const logs = join(readConfig().home, 'logs');
  const logFile = join(logs, `office-${unique}.log`);
  const worker = superviseWorker(env, logFile);
  const run: Office['icewright'] = (words, input) => icewright(words, env, input);
  return {
    ...{ name, folder, lake, bucket, base: `s3://${bucket}`, s3, store, ledgerUrl, env, logFile },
    icewright: run,
    succeed: async (words, input) => {
      const told = await run(words, input);
      if (told.exitCode === 0) return told.json;
      const said = `${told.stdout}${told.stderr}`;
      throw new Error(`icewright ${words.join(' ')} → ${told.exitCode}\n${said}`);
    },
    sql: (text) => query(ledgerUrl, text),
    startWorker: worker.start,
    killWorker: worker.kill,
    metrics: async () => (await fetch(`http://${env.ICEWRIGHT_HTTP_ADDRESS}/metrics`)).text(),
    close: async () => {
      await worker.kill();
      store.close();
      s3.destroy();
      await lake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function environmentOf(
  unique: string,
  folder: string,
  { policy, models = {}, env = {} }: OfficeOptions,
): Promise<Readonly<Record<string, string>>> {
  const config = readConfig();
  const connection = await Connection.connect({ address: config.temporal.address });
  const workflowExecutionRetentionPeriod = msToTs('1 day');
  await connection.workflowService.registerNamespace({
    namespace: unique,
    workflowExecutionRetentionPeriod,
  });
  await connection.close();
  const ledger = new URL(config.ledgerUrl);
  const database = unique.replaceAll('-', '_');
  await query(ledger.href, `CREATE DATABASE ${database}`);
  ledger.pathname = `/${database}`;
  for (const [file, text] of Object.entries({ 'policies/privacy.yaml': policy, ...models })) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  mkdirSync(join(folder, 'models'), { recursive: true });
  return {
    ICEWRIGHT_TEMPORAL_NAMESPACE: unique,
    ICEWRIGHT_DEPLOYMENT: unique.replaceAll('_', '-'),
    ICEWRIGHT_LEDGER_URL: ledger.href,
    ICEWRIGHT_HTTP_ADDRESS: `127.0.0.1:${await findFreePort()}`,
    ICEWRIGHT_HEALTH_INTERVAL: '1d',
    ICEWRIGHT_POLICIES: join(folder, 'policies'),
    ICEWRIGHT_MODELS: join(folder, 'models'),
    ...env,
  };
}

function superviseWorker(env: Readonly<Record<string, string>>, logFile: string) {
  let child: ReturnType<typeof spawn> | null = null;
  const isReady = async () => {
    if (child?.exitCode != null) throw new Error(`the worker ended: ${readFileSync(logFile)}`);
    const url = `http://${env.ICEWRIGHT_HTTP_ADDRESS}/readyz`;
    return await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
  };
  return {
    start: async () => {
      const main = join(PROJECT_DIR, 'src/worker/main.ts');
      child = spawn(process.execPath, [...WORKER_NODE_FLAGS, main], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const log = createWriteStream(logFile, { flags: 'a' });
      child.stdout?.pipe(log);
      child.stderr?.pipe(log);
      await until(isReady);
    },
    kill: async () => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const answer = await client.query(text);
    return (Array.isArray(answer) ? answer.at(-1) : answer).rows;
  } finally {
    await client.end();
  }
}

/** Asks for an erasure with the key on stdin; answers when the subject was looked for. */
export async function ask(office: Office, key: string): Promise<ErasureRequest> {
  const words = ['erase', 'request', '--subject', 'customer:-', '--ground', 'Art. 17(1)(a)'];
  const { requestId } = (await office.succeed(words, `${key}\n`)) as ErasureRequest;
  return untilState(office, requestId, ['awaiting_approval', 'found', 'verifying', 'done']);
}

export function approve(office: Office, requestId: string): Promise<Told> {
  return office.icewright(['erase', 'approve', requestId, '--by', 'ben']);
}

export async function readRequest(office: Office, requestId: string): Promise<ErasureRequest> {
  const [row] = await office.sql(
    `SELECT state, found, blockers, error, certificate_id, batch_id
     FROM icewright.erasure_request WHERE request_id = '${requestId}'`,
  );
  const { certificate_id: certificateId, batch_id: batchId, ...rest } = row ?? {};
  return { requestId, certificateId, batchId, ...rest } as unknown as ErasureRequest;
}

/** Ends with the reason where a request came to another end than it should. */
export async function untilState(
  office: Office,
  requestId: string,
  states: readonly ErasureState[],
): Promise<ErasureRequest> {
  return until(async () => {
    const request = await readRequest(office, requestId);
    if (states.includes(request.state)) return request;
    if (['done', 'failed', 'refused', 'cancelled'].includes(request.state)) {
      throw new Error(`it is ${request.state}: ${JSON.stringify(request.error)}`);
    }
    return null;
  });
}

/** From the request to its certificate. */
export async function forget(office: Office, key: string): Promise<SignedCertificate> {
  const { requestId, state } = await ask(office, key);
  if (state === 'awaiting_approval') {
    const told = await approve(office, requestId);
    if (told.exitCode !== 0) throw new Error(told.stdout);
  }
  await untilState(office, requestId, ['done']);
  return certificateOf(office, requestId);
}

export async function certificateOf(office: Office, id: string): Promise<SignedCertificate> {
  return (await office.succeed(['erase', 'certificate', id])) as SignedCertificate;
}
