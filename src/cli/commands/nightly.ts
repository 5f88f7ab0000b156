/** One night now: transforms, then maintenance; its report. */
import { IcewrightError } from '../../domain/errors.ts';
import type { Command, CommandResult } from '../command.ts';
import { performNight } from '../night.ts';

export const nightly: Command = {
  name: 'nightly',
  summary: 'Runs one night now: bronze → silver → gold, then the maintenance that is due.',
  usage: '[options]',
  options: {
    models: { type: 'string' },
    'no-maintenance': { type: 'boolean' },
    concurrency: { type: 'string' },
  },
  help: {
    models: 'only these models, separated by commas; "silver.orders+" adds what depends on it',
    'no-maintenance': 'transforms only',
    concurrency: 'jobs under way at once (default 4)',
  },
  examples: [
    'icewright nightly',
    'icewright nightly --json',
    'icewright nightly --models "gold.*"',
  ],
  positionals: { min: 0, max: 0 },
  run: async ({ values, session, terminal }): Promise<CommandResult> => {
    const models = typeof values.models === 'string' ? values.models.split(',') : [];
    return performNight(session, terminal, {
      workflow: 'nightly',
      models: models.map((model) => model.trim()).filter((model) => model !== ''),
      maintenance: values['no-maintenance'] !== true,
      concurrency: readConcurrency(values.concurrency),
    });
  },
};

export function readConcurrency(value: unknown): number {
  if (value === undefined) return 4;
  const concurrency = Number(value);
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 100) return concurrency;
  throw new IcewrightError('UsageInvalid', `--concurrency "${value}": expected 1 to 100`);
}
