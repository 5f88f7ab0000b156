import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  checkPorts,
  DEFAULT_PORTS,
  findFreePorts,
  isPortFree,
  PORT_NAMES,
  PORT_VARIABLES,
  readPorts,
} from '../../stack/ports.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((one) => new Promise((done) => one.close(done))));
});

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
}

describe('ports', () => {
  it('have the documented defaults, each with a variable of its own', () => {
    expect(readPorts({})).toEqual(DEFAULT_PORTS);
    expect(new Set(Object.values(PORT_VARIABLES)).size).toBe(PORT_NAMES.length);
  });

  it('can be overridden one by one', () => {
    expect(readPorts({ ICEWRIGHT_S3_PORT: '9900' })).toEqual({ ...DEFAULT_PORTS, s3: 9900 });
  });

  it.each(['0', '65536', '80a', '-1', '1.5'])('refuse %s', (text) => {
    expect(() => readPorts({ ICEWRIGHT_TRINO_PORT: text })).toThrow(/ICEWRIGHT_TRINO_PORT=/);
  });

  it('refuse one number for two services', () => {
    expect(() => readPorts({ ICEWRIGHT_TRINO_PORT: '9000' })).toThrow(
      /port 9000 is given twice: ICEWRIGHT_TRINO_PORT and ICEWRIGHT_S3_PORT/,
    );
  });

  it('that are taken are named with their holder and the remedy', async () => {
    const ports = await findFreePorts();
    await checkPorts(ports);
    await occupy(ports.trino);
    expect(await isPortFree(ports.trino)).toBe(false);
    const error = await checkPorts(ports).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'PrerequisiteMissing',
      details: { ports: [ports.trino] },
    });
    const message = String((error as Error).message);
    expect(message).toContain(`port ${ports.trino} (trino) is taken by `);
    expect(message).toContain('choose another port with ICEWRIGHT_TRINO_PORT');
    if (process.platform === 'linux') expect(message).toContain(`pid ${process.pid} (`);
    await checkPorts(ports, ['s3', 'spark']);
  });

  it('that are free are all different', async () => {
    const ports = Object.values(await findFreePorts());
    expect(new Set(ports).size).toBe(PORT_NAMES.length);
  });
});
