import { type Command, stringValue } from '../command.ts';
import { ENGINE_HELP, operate, readEngine, SHARED_HELP, SHARED_OPTIONS } from './by-hand.ts';

export const deletes: Command = {
  name: 'deletes',
  summary: 'Rewrites the position delete files of a table: joins small ones, drops what is gone.',
  usage: '<table> [options]',
  options: {
    where: { type: 'string' },
    'rewrite-all': { type: 'boolean' },
    engine: { type: 'string' },
    ...SHARED_OPTIONS,
  },
  help: {
    where: 'only deletes of files that may hold rows of this predicate (default: all)',
    'rewrite-all': 'well-sized delete files too, so that none keeps deletes of files long gone',
    engine: ENGINE_HELP,
    ...SHARED_HELP,
  },
  examples: [
    'icewright deletes silver.orders --wait',
    'icewright deletes silver.orders --rewrite-all --dry-run',
    'icewright deletes silver.orders --where "ordered_at >= TIMESTAMP \'2026-11-01\'" --wait',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) =>
    operate(input, {
      kind: 'rewrite_deletes',
      where: stringValue(input.values, 'where'),
      rewriteAll: input.values['rewrite-all'] === true,
      engine: readEngine(input.values),
    }),
};
