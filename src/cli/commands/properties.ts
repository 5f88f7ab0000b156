import { IcewrightError } from '../../domain/errors.ts';
import type { HandRequest } from '../../domain/hand-request.ts';
import type { Command, Values } from '../command.ts';
import { operate, readMany, readPair, SHARED_HELP, SHARED_OPTIONS } from './by-hand.ts';

export const properties: Command = {
  name: 'properties',
  summary: 'Sets and removes properties of a table; those that change safety must be allowed.',
  usage: '<table> --set name=value | --unset name [options]',
  options: {
    set: { type: 'string', multiple: true },
    unset: { type: 'string', multiple: true },
    allow: { type: 'string', multiple: true },
    ...SHARED_OPTIONS,
  },
  help: {
    set: 'name=value; repeatable',
    unset: 'name of a property to remove; repeatable',
    allow: 'name of a property that changes safety, paths or format, and is meant to; repeatable',
    ...SHARED_HELP,
  },
  examples: [
    'icewright properties silver.orders --set write.parquet.compression-codec=zstd --wait',
    'icewright properties silver.orders --unset write.target-file-size-bytes --dry-run',
    'icewright properties silver.orders --set format-version=3 --allow format-version --wait',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readProperties(input.values)),
};

export function readProperties(values: Values): HandRequest {
  const set = readMany(values, 'set').map((text) => readPair('set', text));
  const names = set.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new IcewrightError('UsageInvalid', `--set names ${twice} twice`);
  }
  return {
    kind: 'set_properties',
    set: Object.fromEntries(set),
    remove: readMany(values, 'unset'),
    allow: readMany(values, 'allow'),
  };
}
