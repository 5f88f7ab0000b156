/** The stack's controls on real services: a small stack of its own, beside the live one. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import {
  resetStack,
  type StackOptions,
  stackStatus,
  startStack,
  stopStack,
} from '../../stack/control.ts';
import { describeHome } from '../../stack/home.ts';
import { findFreePorts, isPortFree, type StackPorts } from '../../stack/ports.ts';
import { isRunning, type ProcessIdentity } from '../../stack/services/process-identity.ts';
import { readState } from '../../stack/services/state.ts';
import { SECOND_HOME } from './global-setup.ts';
import { askCatalog, recordOf } from './stack-support.ts';

const { parts } = inject('stack');
const SERVICES = ['postgres', 'minio', 'temporal', 'catalog'] as const;
const PORTS = ['postgres', 's3', 'temporal', 'temporalUi', 'catalog'] as const;
const SCHEMA = { type: 'struct', 'schema-id': 0, fields: [] };

let ports: StackPorts;
let options: StackOptions;

beforeAll(async () => {
  await resetStack(SECOND_HOME);
  ports = await findFreePorts();
  options = { home: SECOND_HOME, ports, parts, services: SERVICES };
});

afterAll(() => resetStack(SECOND_HOME));

async function processes(): Promise<readonly ProcessIdentity[]> {
  const state = readState(describeHome(SECOND_HOME));
  if (state === undefined) throw new Error('the stack was never up');
  return [state.supervisor, ...state.services.flatMap((one) => one.process ?? [])];
}

async function pids() {
  const { services } = await stackStatus(SECOND_HOME);
  return Object.fromEntries(services.map((one) => [one.name, one.pid]));
}

/** What only the catalog with its PostgreSQL and its object store together can answer. */
async function askForTable() {
  const { services, credentials } = await stackStatus(SECOND_HOME);
  const catalog = services.find((one) => one.name === 'catalog')?.endpoint ?? '';
  return await askCatalog(catalog, '/v1/namespaces/kept/tables/one', credentials?.catalogToken);
}

async function expectNothingLeft(before: readonly ProcessIdentity[]): Promise<void> {
  expect(before.filter(isRunning)).toEqual([]);
  for (const name of PORTS) expect(await isPortFree(ports[name]), name).toBe(true);
  expect((await stackStatus(SECOND_HOME)).services.map((one) => [one.state, one.pid])).toEqual(
    SERVICES.map(() => ['stopped', null]),
  );
}

async function killSupervisor(): Promise<void> {
  const supervisor = readState(describeHome(SECOND_HOME))?.supervisor;
  process.kill(supervisor?.pid ?? 0, 'SIGKILL');
  await vi.waitFor(async () => {
    const { services } = await stackStatus(SECOND_HOME);
    expect(services.map((one) => one.state)).toEqual(SERVICES.map(() => 'orphaned'));
  });
}

describe('up', () => {
  it('names a taken port and its holder, and starts nothing', async () => {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(ports.catalog, '127.0.0.1', ready));
    const failure = await startStack(options).catch((error: unknown) => error);
    await new Promise((closed) => server.close(closed));
    expect(failure).toMatchObject({ code: 'PrerequisiteMissing' });
    expect(String(failure)).toContain(`port ${ports.catalog} (catalog) is taken`);
    expect(String(failure)).toContain('ICEWRIGHT_CATALOG_PORT');
    expect((await stackStatus(SECOND_HOME)).services).toEqual([]);
  });

  it('says which service failed, with the end of its log, and then completes the stack', async () => {
    const broken = { ...options, parts: { ...parts, minio: process.execPath } };
    const failure = await startStack(broken).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'StackFailed', details: { service: 'minio' } });
    expect(String(failure)).toMatch(/minio\.log ends with\n(.*\n)*.*server/);

    expect((await startStack(options)).running).toBe(true);
  });

  it('changes nothing when everything runs, and adds only what is missing', async () => {
    const before = await pids();
    const again = await startStack(options);
    expect(again.running).toBe(true);
    expect(await pids()).toEqual(before);

    await stopStack(SECOND_HOME);
    await startStack({ ...options, services: ['postgres', 'minio'] });
    const half = await pids();
    expect((await startStack(options)).running).toBe(true);
    expect(await pids()).toMatchObject(half);
    expect(Object.keys(await pids())).toHaveLength(SERVICES.length);
  });
});

describe('the catalog', () => {
  it('answers only to its token, with the errors that clients of Iceberg understand', async () => {
    const { services, credentials } = await stackStatus(SECOND_HOME);
    const endpoint = services.find((one) => one.name === 'catalog')?.endpoint ?? '';
    const token = credentials?.catalogToken;
    for (const wrong of [undefined, 'another']) {
      const refusal = await askCatalog(endpoint, '/v1/config', wrong);
      expect(refusal).toMatchObject({
        status: 401,
        body: { error: { type: 'NotAuthorizedException', code: 401 } },
      });
    }
    expect(await askCatalog(endpoint, '/v1/config', token)).toMatchObject({ status: 200 });
    await askCatalog(endpoint, '/v1/namespaces', token, { namespace: ['kept'] });
    const table = { name: 'one', schema: SCHEMA };
    const made = await askCatalog(endpoint, '/v1/namespaces/kept/tables', token, table);
    expect(made).toMatchObject({ status: 200 });
  });
});

describe('a service', () => {
  it.each(SERVICES)('%s comes back when it is killed, with its data', async (name) => {
    const before = recordOf(await stackStatus(SECOND_HOME), name);
    process.kill(before.pid ?? 0, 'SIGKILL');
    await vi.waitFor(
      async () => {
        const now = recordOf(await stackStatus(SECOND_HOME), name);
        expect(now.state).toBe('ready');
        expect(now.pid).not.toBe(before.pid);
        expect((await askForTable()).status).toBe(200);
      },
      { timeout: 120_000, interval: 200 },
    );
  });
});

describe('a supervisor that was killed', () => {
  it('is replaced by up, and the data are still there', async () => {
    const before = await processes();
    await killSupervisor();
    expect((await startStack(options)).running).toBe(true);
    expect(before.filter(isRunning)).toEqual([]);
    expect((await askForTable()).status).toBe(200);
  });

  it('leaves nothing behind after down', async () => {
    const before = await processes();
    await killSupervisor();
    await stopStack(SECOND_HOME);
    await expectNothingLeft(before);
  });
});

describe('down', () => {
  it('leaves no process and no open port, and may be repeated', async () => {
    await startStack(options);
    const before = await processes();
    await stopStack(SECOND_HOME);
    await expectNothingLeft(before);
    await stopStack(SECOND_HOME);
  });

  it('with reset takes the data and the credentials along', async () => {
    await startStack({ ...options, services: ['minio'] });
    await resetStack(SECOND_HOME);
    const status = await stackStatus(SECOND_HOME);
    expect(status).toMatchObject({ running: false, services: [], credentials: undefined });
  });
});
