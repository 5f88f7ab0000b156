/** What the live tests of Spark share: a runner, tables of their own, and ways to lose a connection. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { readConfig } from '../../src/config.ts';
import type {
  EngineHandle,
  EngineRow,
  EngineRunner,
  RunOptions,
  Statement,
} from '../../src/domain/engine.ts';
import type { IcewrightError } from '../../src/domain/errors.ts';
import { quoteIdentifier } from '../../src/engines/spark/quote.ts';
import { createSparkRunner, type SparkRunnerOptions } from '../../src/engines/spark/run.ts';
import { parseSparkUrl, type SparkTarget } from '../../src/engines/spark/url.ts';

const config = readConfig();
export const URL = config.spark.url;
export const TARGET: SparkTarget = parseSparkUrl(URL);
export const CATALOG = config.catalog.name;

export interface Spark {
  readonly runner: EngineRunner;
  readonly deployment: string;
  /** Namespace of this test file. */
  readonly namespace: string;
  /** Quoted name of a table in it. */
  at(name: string): string;
  run(sql: string, more?: Partial<Statement>, options?: Partial<RunOptions>): Ran;
  rows(sql: string): Promise<readonly EngineRow[]>;
  /** A second runner of the same deployment: what another process would have. */
  another(options?: Partial<SparkRunnerOptions>): EngineRunner;
  close(): Promise<void>;
}

type Ran = ReturnType<EngineRunner['run']>;

/** A runner and a namespace nobody else uses. */
export async function openSpark(role: string): Promise<Spark> {
  const deployment = `live-${role}-${randomBytes(4).toString('hex')}`;
  const namespace = deployment.replaceAll('-', '_');
  const another = (options: Partial<SparkRunnerOptions> = {}) =>
    createSparkRunner({ url: URL, deployment, catalog: CATALOG, ...options });
  const runner = another();
  const at = (name: string) => [CATALOG, namespace, name].map(quoteIdentifier).join('.');
  let serial = 0;
  const run: Spark['run'] = (sql, more = {}, options = {}) => {
    serial += 1;
    const own = { key: `statement-${serial}`, session: 'live' };
    return runner.run({ engine: 'spark', sql, ...more }, { ...own, ...options });
  };
  const rows = async (sql: string) => (await run(sql)).rows;
  await run(`CREATE NAMESPACE ${quoteIdentifier(CATALOG)}.${quoteIdentifier(namespace)}`);
  const close = async () => {
    const place = `${quoteIdentifier(CATALOG)}.${quoteIdentifier(namespace)}`;
    for (const { tableName } of await rows(`SHOW TABLES IN ${place}`)) {
      await run(`DROP TABLE ${at(String(tableName))} PURGE`);
    }
    await run(`DROP NAMESPACE ${place}`);
    await runner.close();
  };
  return { runner, deployment, namespace, at, run, rows, another, close };
}

/** The rejection, or a failure of the test when there is none. */
export function rejection(promise: Promise<unknown>): Promise<IcewrightError> {
  return promise.then(
    () => Promise.reject(new Error('expected a rejection')),
    (error: IcewrightError) => error,
  );
}

export interface Child {
  readonly process: ChildProcess;
  readonly handle: EngineHandle;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
}

/** Runs a statement in a process of its own; resolves when Spark reports tasks under way. */
export async function startChild(input: {
  deployment: string;
  key: string;
  session: string;
  sql: string;
}): Promise<Child> {
  const script = new globalThis.URL('./spark-child.ts', import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    [script, JSON.stringify({ url: URL, catalog: CATALOG, ...input })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  let handle: EngineHandle | undefined;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const said = JSON.parse(line) as { handle?: EngineHandle; tasksTotal?: number; done?: true };
    handle = said.handle ?? handle;
    if (said.done) throw new Error('the statement ended before it could be interrupted');
    if (said.tasksTotal && handle !== undefined) return { process: child, handle, kill };
  }
  throw new Error('the child process ended early');
}

/** A TCP proxy in front of Spark that can be cut, shut and opened again. */
export interface Proxy {
  readonly url: string;
  /** Breaks every connection; new ones are accepted. */
  cut(): void;
  /** Breaks every connection and refuses new ones. */
  shut(): Promise<void>;
}

export async function startProxy(): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(TARGET.port, TARGET.host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const shut = async () => {
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  };
  return { url: URL.replace(/\/\/[^/]+/, `//127.0.0.1:${port}`), cut, shut };
}
