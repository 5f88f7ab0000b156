import type { HandRequest } from '../../domain/hand-request.ts';
import { parseDuration } from '../../domain/units.ts';
import { type Command, stringValue, type Values } from '../command.ts';
import { operate, readWhole, SHARED_HELP, SHARED_OPTIONS } from './by-hand.ts';

export const expire: Command = {
  name: 'expire',
  summary: 'Expires old snapshots of a table, by exact ids; refs and readers are respected.',
  usage: '<table> [options]',
  options: {
    'older-than': { type: 'string' },
    'keep-last': { type: 'string' },
    'clean-metadata': { type: 'boolean' },
    ...SHARED_OPTIONS,
  },
  help: {
    'older-than': 'only snapshots older than this, such as 7d (default: the policy)',
    'keep-last': 'keep at least this many (default: the policy)',
    'clean-metadata': 'then also drop schemas and partition specs that nothing uses any more',
    ...SHARED_HELP,
  },
  examples: [
    'icewright expire bronze.raw_orders --older-than 7d --keep-last 5 --dry-run',
    'icewright expire bronze.raw_orders --wait --json',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readExpire(input.values)),
};

export function readExpire(values: Values): HandRequest {
  const age = stringValue(values, 'older-than');
  return {
    kind: 'expire_snapshots',
    olderThanMs: age === null ? null : parseDuration(age),
    keepLast: readWhole(values, 'keep-last', 1),
    ...(values['clean-metadata'] === true ? { cleanExpiredMetadata: true } : {}),
  };
}
