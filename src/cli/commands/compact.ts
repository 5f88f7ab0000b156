import type { HandRequest, PartitionText } from '../../domain/hand-request.ts';
import type { CompactDeletes, CompactStrategy, CompactTuning } from '../../domain/operation.ts';
import { parseBytes } from '../../domain/units.ts';
import { type Command, stringValue, type Values } from '../command.ts';
import {
  bad,
  ENGINE_HELP,
  operate,
  readEngine,
  readList,
  readMany,
  readPair,
  readWhole,
  SHARED_HELP,
  SHARED_OPTIONS,
} from './by-hand.ts';

export const compact: Command = {
  name: 'compact',
  summary: 'Rewrites small files of a table into larger ones, or re-orders its rows.',
  usage: '<table> [options]',
  options: {
    strategy: { type: 'string' },
    columns: { type: 'string' },
    where: { type: 'string' },
    partition: { type: 'string', multiple: true },
    'target-file-size': { type: 'string' },
    'rewrite-all': { type: 'boolean' },
    'delete-file-threshold': { type: 'string' },
    'delete-ratio-threshold': { type: 'string' },
    'remove-dangling-deletes': { type: 'boolean' },
    'max-file-group-size': { type: 'string' },
    'concurrent-file-groups': { type: 'string' },
    engine: { type: 'string' },
    ...SHARED_OPTIONS,
  },
  help: {
    strategy: 'binpack (default), sort or zorder',
    columns: 'columns of sort or zorder, separated by commas',
    where: 'only files that may hold rows of this predicate (default: all)',
    partition: 'only this partition, such as ts_day=2026-11-20 (as "health" names it); repeatable',
    'target-file-size': 'size of the files to write, such as 512MB (default: the policy)',
    'rewrite-all': 'well-sized files too (sort and zorder always do)',
    'delete-file-threshold': 'files with so many delete files too (spark; default: never)',
    'delete-ratio-threshold': 'files with this share of rows deleted too, 0 to 1 (spark; 0.3)',
    'remove-dangling-deletes': 'then drop delete files that nothing needs (spark; one more commit)',
    'max-file-group-size': 'input of one group of files, such as 10GB (spark; default 100GB)',
    'concurrent-file-groups': 'groups rewritten at once (spark; default 5)',
    engine: ENGINE_HELP,
    ...SHARED_HELP,
  },
  examples: [
    'icewright compact bronze.raw_orders --wait',
    'icewright compact silver.orders --strategy zorder --columns customer_id,ordered_at --wait',
    'icewright compact bronze.raw_orders --partition ts_day=2026-11-20 --rewrite-all --wait',
    'icewright compact lake.bronze.raw_clickstream --engine trino --dry-run',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readCompact(input.values)),
};

export function readCompact(values: Values): HandRequest {
  const strategy = (stringValue(values, 'strategy') ?? 'binpack') as CompactStrategy;
  if (!['binpack', 'sort', 'zorder'].includes(strategy)) {
    throw bad('strategy', strategy, 'binpack, sort or zorder');
  }
  const size = stringValue(values, 'target-file-size');
  const partitions = readMany(values, 'partition').map(readPartition);
  const deletes = readDeletes(values);
  const tuning = readTuning(values);
  return {
    kind: 'compact',
    strategy,
    columns: readList(values, 'columns'),
    where: stringValue(values, 'where'),
    targetFileSizeBytes: size === null ? null : parseBytes(size),
    engine: readEngine(values),
    ...(partitions.length === 0 ? {} : { partitions }),
    ...(values['rewrite-all'] === true ? { rewriteAll: true } : {}),
    ...(Object.keys(deletes).length === 0 ? {} : { deletes }),
    ...(Object.keys(tuning).length === 0 ? {} : { tuning }),
  };
}

/** `ts_day=2026-11-20/region=eu`; `region=null` is the partition without a value. */
function readPartition(text: string): PartitionText {
  const pairs = text.split('/').map((part) => readPair('partition', part));
  return Object.fromEntries(pairs.map(([name, value]) => [name, value === 'null' ? null : value]));
}

function readDeletes(values: Values): CompactDeletes {
  const files = readWhole(values, 'delete-file-threshold', 1);
  const ratio = stringValue(values, 'delete-ratio-threshold');
  if (ratio !== null && !/^(0(\.\d+)?|1(\.0+)?)$/.test(ratio)) {
    throw bad('delete-ratio-threshold', ratio, 'a number from 0 to 1');
  }
  return {
    ...(files === null ? {} : { minDeleteFiles: files }),
    ...(ratio === null ? {} : { minDeleteRatio: Number(ratio) }),
    ...(values['remove-dangling-deletes'] === true ? { removeDangling: true } : {}),
  };
}

function readTuning(values: Values): CompactTuning {
  const size = stringValue(values, 'max-file-group-size');
  const concurrent = readWhole(values, 'concurrent-file-groups', 1, 1_000);
  return {
    ...(size === null ? {} : { maxFileGroupSizeBytes: parseBytes(size) }),
    ...(concurrent === null ? {} : { concurrentFileGroups: concurrent }),
  };
}
