/** The stack's ports: loopback only, each overridable, and who holds one that is taken. */
import { createServer } from 'node:net';
import { IcewrightError } from '../src/domain/errors.ts';
import KNOWN from './ports.json' with { type: 'json' };
import { describePortHolder } from './preflight/port-holder.mjs';

/** Everything the stack binds is bound here. */
export const LOOPBACK = '127.0.0.1';

export interface StackPorts {
  readonly temporal: number;
  readonly temporalUi: number;
  readonly trino: number;
  readonly spark: number;
  readonly catalog: number;
  readonly s3: number;
  readonly postgres: number;
  readonly http: number;
  readonly prometheus: number;
}

export type PortName = keyof StackPorts;

export const PORT_NAMES = Object.keys(KNOWN) as readonly PortName[];

/** What users and outside checks expect when nothing is overridden (ports.json). */
export const DEFAULT_PORTS: StackPorts = mapPorts((name) => KNOWN[name].port);

/** The environment variable that overrides each port. */
export const PORT_VARIABLES: Readonly<Record<PortName, string>> = {
  temporal: KNOWN.temporal.variable,
  temporalUi: KNOWN.temporalUi.variable,
  trino: KNOWN.trino.variable,
  spark: KNOWN.spark.variable,
  catalog: KNOWN.catalog.variable,
  s3: KNOWN.s3.variable,
  postgres: KNOWN.postgres.variable,
  http: KNOWN.http.variable,
  prometheus: KNOWN.prometheus.variable,
};

/** Those of services that the stack cannot do without. */
export const REQUIRED_PORTS: readonly PortName[] = PORT_NAMES.filter(
  (name) => !('optional' in KNOWN[name]),
);

function mapPorts(portOf: (name: PortName, index: number) => number): StackPorts {
  const entries = PORT_NAMES.map((name, index) => [name, portOf(name, index)]);
  return Object.fromEntries(entries) as unknown as StackPorts;
}

/** Reads the ports. Rejects with `ConfigInvalid` on a number that is bad or given twice. */
export function readPorts(environment: NodeJS.ProcessEnv = process.env): StackPorts {
  const ports = mapPorts((name) => readPort(name, environment));
  for (const [index, name] of PORT_NAMES.entries()) {
    const twin = PORT_NAMES.slice(index + 1).find((other) => ports[other] === ports[name]);
    if (twin !== undefined) {
      throw new IcewrightError(
        'ConfigInvalid',
        `port ${ports[name]} is given twice: ${PORT_VARIABLES[name]} and ` +
          `${PORT_VARIABLES[twin]}; give each its own`,
      );
    }
  }
  return ports;
}

function readPort(name: PortName, environment: NodeJS.ProcessEnv): number {
  const variable = PORT_VARIABLES[name];
  const text = environment[variable];
  if (text === undefined || text === '') return DEFAULT_PORTS[name];
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new IcewrightError(
      'ConfigInvalid',
      `${variable}=${text} is not a port: give a whole number from 1 to 65535`,
    );
  }
  return port;
}

/**
 * Makes sure that nothing else listens on the named ports.
 * Rejects with `PrerequisiteMissing`, which names every taken port, its holder and the remedy.
 */
export async function checkPorts(
  ports: StackPorts,
  names: readonly PortName[] = REQUIRED_PORTS,
): Promise<void> {
  const free = await Promise.all(names.map((name) => isPortFree(ports[name])));
  const taken = names.filter((_, index) => !free[index]);
  if (taken.length === 0) return;
  const lines = taken.map((name) => {
    const holder = describePortHolder(ports[name]);
    return (
      `port ${ports[name]} (${name}) is taken by ${holder ?? 'a process that cannot be seen'}: ` +
      `end it, or choose another port with ${PORT_VARIABLES[name]}`
    );
  });
  throw new IcewrightError('PrerequisiteMissing', lines.join('\n'), {
    ports: taken.map((name) => ports[name]),
  });
}

/** Whether a server could listen on this loopback port now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((settle) => {
    server.once('error', () => settle(false));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => settle(true));
    });
  });
}

/** Ports that are free now, all different: for a second stack beside the first. */
export async function findFreePorts(): Promise<StackPorts> {
  const numbers = await findFreeNumbers(PORT_NAMES.length);
  return mapPorts((_, index) => numbers[index] ?? 0);
}

/** A port that is free now, for a listener whose address nobody has to know beforehand. */
export async function findFreePort(): Promise<number> {
  return (await findFreeNumbers(1))[0] ?? 0;
}

async function findFreeNumbers(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const numbers = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((settle, fail) => {
          server.once('error', fail);
          server.listen({ port: 0, host: LOOPBACK, exclusive: true }, () => {
            const address = server.address();
            if (address === null || typeof address === 'string') fail(new Error('no port'));
            else settle(address.port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return numbers;
}
