import { readConfig } from '../../config.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { type Fault, formatFault } from '../../project/faults.ts';
import { loadPolicies } from '../../project/policies.ts';
import type { Command } from '../command.ts';

export const policiesCheck: Command = {
  name: 'policies check',
  summary: 'Checks the policy files of a folder; each fault with file, line and column.',
  usage: '[folder]',
  options: {},
  help: {},
  examples: ['icewright policies check', 'icewright policies check ./policies --json'],
  positionals: { min: 0, max: 1 },
  run: async ({ positionals, terminal }) => {
    const { policies, faults } = await loadPolicies(positionals[0] ?? readConfig().policiesDir);
    if (faults.length > 0) throw faulty(faults);
    terminal.print(`${policies.length} policies, no faults`);
    return { json: { policies: policies.map(({ kind, name, file }) => ({ kind, name, file })) } };
  },
};

function faulty(faults: readonly Fault[]): IcewrightError {
  const lines = faults.map(formatFault).join('\n');
  return new IcewrightError('PolicyInvalid', `the policies have faults\n${lines}`, { faults });
}
