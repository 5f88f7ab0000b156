import { IcewrightError } from '../../domain/errors.ts';
import type { HandRequest } from '../../domain/hand-request.ts';
import type { Command, Values } from '../command.ts';
import {
  ENGINE_HELP,
  operate,
  readEngine,
  readList,
  SHARED_HELP,
  SHARED_OPTIONS,
} from './by-hand.ts';

export const statistics: Command = {
  name: 'statistics',
  summary: 'Computes statistics of a table for the optimizers of its readers, or drops them.',
  usage: '<table> [options]',
  options: {
    columns: { type: 'string' },
    drop: { type: 'boolean' },
    engine: { type: 'string' },
    ...SHARED_OPTIONS,
  },
  help: {
    columns: 'columns to look at, separated by commas (default: the policy, else all)',
    drop: 'drop the column statistics instead (trino)',
    engine: ENGINE_HELP,
    ...SHARED_HELP,
  },
  examples: [
    'icewright statistics silver.orders --wait',
    'icewright statistics silver.orders --columns customer_id,status --engine trino --wait',
    'icewright statistics silver.orders --drop --wait',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readStatistics(input.values)),
};

export function readStatistics(values: Values): HandRequest {
  const columns = readList(values, 'columns');
  const engine = readEngine(values);
  if (values.drop !== true) return { kind: 'compute_statistics', columns, engine };
  if (columns.length > 0) {
    const message = '--drop drops the statistics of all columns: leave --columns out';
    throw new IcewrightError('UsageInvalid', message);
  }
  return { kind: 'drop_statistics', engine };
}
