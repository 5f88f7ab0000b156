/** The embedded stack: up, down, status, reset. */
import {
  resetStack,
  type StackStatus,
  stackStatus,
  startStack,
  stopStack,
} from '../../../stack/control.ts';
import { describeHome } from '../../../stack/home.ts';
import { explainNoPrometheus } from '../../../stack/monitoring.ts';
import { readPorts } from '../../../stack/ports.ts';
import { ensureParts } from '../../../stack/provision/parts.ts';
import { seedShop } from '../../../stack/shop/seed.ts';
import { homeDir, readConfig } from '../../config.ts';
import type { Command } from '../command.ts';
import type { Terminal } from '../terminal.ts';

/** The shop's seed: every embedded shop has the same customers. */
export const SHOP_SEED = 1;

export const stackUp: Command = {
  name: 'stack up',
  summary: 'Starts the embedded stack, or what is missing of it: catalog, engines, worker and all.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright stack up', 'ICEWRIGHT_TRINO_PORT=18080 icewright stack up'],
  positionals: { min: 0, max: 0 },
  run: async ({ terminal }) => {
    const status = await raiseStack(terminal);
    tellServices(terminal, status);
    return { json: status };
  },
};

export const stackDown: Command = {
  name: 'stack down',
  summary: 'Stops the embedded stack by the process ids that it recorded; its data stay.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright stack down'],
  positionals: { min: 0, max: 0 },
  run: async ({ terminal }) => {
    await stopStack(homeDir());
    terminal.print('the stack is down');
    return { json: { state: 'stopped' } };
  },
};

export const stackStatusCommand: Command = {
  name: 'stack status',
  summary: 'Shows each service of the embedded stack; with --json also the credentials.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright stack status', 'icewright stack status --json'],
  positionals: { min: 0, max: 0 },
  run: async ({ terminal }) => {
    const status = await stackStatus(homeDir());
    tellServices(terminal, status);
    return { json: status };
  },
};

export const stackReset: Command = {
  name: 'stack reset',
  summary: 'Stops the embedded stack and removes its data. What was downloaded and built stays.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright stack reset'],
  positionals: { min: 0, max: 0 },
  run: async ({ terminal }) => {
    await resetStack(homeDir());
    terminal.print('the stack is down, its data are removed');
    return { json: { state: 'removed' } };
  },
};

/** Provisions what is missing, starts the services and opens the shop. */
export async function raiseStack(terminal: Terminal): Promise<StackStatus> {
  const parts = await ensureParts((line) => terminal.progress(line));
  const ports = readPorts();
  const missing = await explainNoPrometheus(describeHome(homeDir()), ports, parts);
  const states = new Map<string, string>();
  const status = await startStack({
    home: homeDir(),
    ports,
    parts,
    onProgress: ({ name, state }) => {
      states.set(name, state);
      const open = [...states].filter(([, one]) => one !== 'ready').map(([one]) => one);
      terminal.progress(open.length === 0 ? '' : `starting ${open.join(', ')} …`);
    },
  });
  terminal.progress('');
  if (missing !== undefined) terminal.note(missing);
  const url = status.credentials?.postgresUrl ?? readConfig().ledgerUrl;
  const { seeded, rows } = await seedShop(url, {
    seed: SHOP_SEED,
    onProgress: (message) => terminal.progress(message),
  });
  terminal.progress('');
  if (seeded) {
    const told = Object.entries(rows).map(([table, count]) => `${count} ${table}`);
    terminal.note(`the shop is open: ${told.join(', ')}`);
  }
  return status;
}

function tellServices(terminal: Terminal, { services }: StackStatus): void {
  terminal.table(
    ['service', 'version', 'state', '>pid', 'endpoint'],
    services.map((one) => [
      one.name,
      one.version,
      one.state,
      one.pid === null ? '' : String(one.pid),
      one.endpoint,
    ]),
  );
}
