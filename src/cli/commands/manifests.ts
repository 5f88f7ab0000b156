import type { HandRequest } from '../../domain/hand-request.ts';
import type { Command, Values } from '../command.ts';
import {
  ENGINE_HELP,
  operate,
  readEngine,
  readList,
  readWhole,
  SHARED_HELP,
  SHARED_OPTIONS,
} from './by-hand.ts';

export const manifests: Command = {
  name: 'manifests',
  summary: 'Rewrites the manifests of a table, so that planning a query reads fewer of them.',
  usage: '<table> [options]',
  options: {
    spec: { type: 'string' },
    'sort-by': { type: 'string' },
    engine: { type: 'string' },
    ...SHARED_OPTIONS,
  },
  help: {
    spec: 'only manifests of this partition spec id (spark; default: the current one)',
    'sort-by': 'partition fields to lay entries together by, with commas (spark; default: all)',
    engine: ENGINE_HELP,
    ...SHARED_HELP,
  },
  examples: [
    'icewright manifests bronze.raw_orders --wait',
    'icewright manifests bronze.raw_orders --sort-by ts_day --dry-run',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readManifests(input.values)),
};

export function readManifests(values: Values): HandRequest {
  const specId = readWhole(values, 'spec', 0);
  const sortBy = readList(values, 'sort-by');
  return {
    kind: 'rewrite_manifests',
    engine: readEngine(values),
    ...(specId === null ? {} : { specId }),
    ...(sortBy.length === 0 ? {} : { sortBy }),
  };
}
