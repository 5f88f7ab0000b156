/** Every operation that is run against TPC-H's `lineitem`, as a person would ask for it. */
import type { EngineName } from '../../src/domain/engine.ts';

export interface TpchOperation {
  readonly name: string;
  readonly engine: EngineName;
  /** Format version of the `lineitem` that it is for. */
  readonly version: 2 | 3;
  /** Words behind `icewright`; `{table}` is the table. */
  readonly words: readonly string[];
  readonly status: 'done' | 'noop';
  /** `true`: first the table goes back to its small files and deletes. */
  readonly onMess?: boolean;
}

const BINPACK = ['compact', '{table}', '--target-file-size', '32MB'];
const BY_DATE = ['--columns', 'l_shipdate,l_orderkey'];
const RETRIES = ['--set', 'commit.retry.num-retries=8'];
const TO_ONE = ['--older-than', '1ms', '--keep-last', '1'];

/** Commands that leave no choice of the engine. */
const ONE_ENGINE = ['properties', 'expire', 'orphans'];

/** In this order; one without `onMess` finds what the one before it left. */
export const OPERATIONS: readonly TpchOperation[] = [
  on('spark', 2, 'deletes', ['deletes', '{table}']),
  on('trino', 2, 'compact', BINPACK),
  on('trino', 2, 'statistics', ['statistics', '{table}']),
  on('trino', 2, 'drop statistics', ['statistics', '{table}', '--drop']),
  { ...on('spark', 2, 'Z-order', [...BINPACK, '--strategy', 'zorder', ...BY_DATE]), onMess: true },
  { ...on('spark', 2, 'compact', BINPACK), onMess: true },
  on('spark', 2, 'statistics', ['statistics', '{table}', ...BY_DATE]),
  on('spark', 2, 'manifests', ['manifests', '{table}']),
  on('spark', 2, 'properties', ['properties', '{table}', ...RETRIES]),
  on('spark', 2, 'expire', ['expire', '{table}', ...TO_ONE]),
  // What the mess left is younger than the floor: looked at, and kept.
  { ...on('spark', 2, 'orphans', ['orphans', '{table}']), status: 'noop' },
  on('spark', 3, 'compact', BINPACK),
  on('spark', 3, 'sort', [...BINPACK, '--strategy', 'sort', ...BY_DATE]),
  on('spark', 3, 'manifests', ['manifests', '{table}']),
  on('spark', 3, 'expire', ['expire', '{table}', ...TO_ONE]),
];

function on(
  engine: EngineName,
  version: 2 | 3,
  name: string,
  words: readonly string[],
): TpchOperation {
  const choice = ONE_ENGINE.includes(words[0] ?? '') ? [] : ['--engine', engine];
  return { name, engine, version, words: [...words, ...choice], status: 'done' };
}
