/** `npm start`: the whole system up, and one full night. */
import { readConfig } from '../../config.ts';
import type { Command } from '../command.ts';
import { performNight } from '../night.ts';
import { raiseStack } from './stack.ts';

export const start: Command = {
  name: 'start',
  summary: 'Starts the embedded stack, opens the shop, and runs one full night.',
  usage: '',
  options: {},
  help: {},
  examples: ['npm start', 'icewright start --json'],
  positionals: { min: 0, max: 0 },
  run: async ({ session, terminal }) => {
    await raiseStack(terminal);
    const result = await performNight(session, terminal, {
      workflow: 'nightly',
      models: [],
      maintenance: true,
      concurrency: 4,
    });
    const { httpAddress } = readConfig();
    terminal.print(`metrics:  http://${httpAddress}/metrics`);
    terminal.print();
    terminal.print('The stack and the worker keep running. Next:');
    terminal.print('  npm run shop:advance      let a day pass in the shop');
    terminal.print('  npx icewright nightly     run another night');
    terminal.print('  npx icewright explain bronze.raw_orders');
    terminal.print('  npm stop                  stop everything');
    return result;
  },
};
