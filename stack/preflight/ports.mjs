/** Ports that something else holds, found before anything is downloaded. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describePortHolder } from './port-holder.mjs';

/** @typedef {import('./tools.mjs').Problem} Problem */

/** @type {Readonly<Record<string, { port: number, variable: string, optional?: boolean }>>} */
const KNOWN = JSON.parse(readFileSync(new URL('../ports.json', import.meta.url), 'utf8'));

/**
 * Names every wrong, doubled or taken port. Ports that this home's own running stack holds are
 * fine.
 * @param {string} home
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<Problem[]>}
 */
export async function checkPorts(home, environment = process.env) {
  /** @type {Problem[]} */
  const problems = [];
  /** @type {Map<number, string>} */
  const asked = new Map();
  for (const [name, { port: usual, variable, optional }] of Object.entries(KNOWN)) {
    const text = environment[variable];
    const port = text ? Number(text) : usual;
    const twin = asked.get(port);
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      const remedy = 'give a whole number from 1 to 65535';
      problems.push({ what: `${variable}=${text} is not a port`, remedy });
    } else if (twin !== undefined) {
      const remedy = 'give each its own';
      problems.push({ what: `port ${port} is given twice: ${twin} and ${variable}`, remedy });
    } else {
      asked.set(port, variable);
      // The stack does without a service whose port is taken, where it can.
      if (!optional) problems.push(...(await checkPort(name, port, variable, readOwnPorts(home))));
    }
  }
  return problems;
}

/**
 * @param {string} name
 * @param {number} port
 * @param {string} variable
 * @param {Readonly<Record<string, number>>} own
 * @returns {Promise<Problem[]>}
 */
async function checkPort(name, port, variable, own) {
  if (own[name] === port) return [];
  const fault = await tryToListen(port);
  if (fault === undefined) return [];
  if (fault !== 'EADDRINUSE') {
    const what = `port ${port} (${name}) cannot be opened: ${fault}`;
    return [{ what, remedy: `choose another port with ${variable}` }];
  }
  const holder = describePortHolder(port) ?? 'a process that cannot be seen';
  return [
    {
      what: `port ${port} (${name}) is taken by ${holder}`,
      remedy: `end it, or choose another port with ${variable}`,
    },
  ];
}

/**
 * Whether services of this home run now: by their recorded pids alone, since the start looks again.
 * @param {string} home
 */
export function isStackRunning(home) {
  const services = readJson(join(home, 'run', 'state.json'))?.services;
  return Array.isArray(services) && services.some(({ process: of }) => isAlive(of?.pid));
}

/** @param {string} home @returns {Readonly<Record<string, number>>} */
function readOwnPorts(home) {
  return isStackRunning(home) ? (readJson(join(home, 'run', 'stack.json'))?.ports ?? {}) : {};
}

/** @param {number} port @returns {Promise<string | undefined>} the error's code, if any */
function tryToListen(port) {
  const server = createServer();
  return new Promise((settle) => {
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => settle(error.code));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => settle(undefined));
    });
  });
}

/** @param {unknown} pid */
function isAlive(pid) {
  try {
    return typeof pid === 'number' && process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
