/** Every operation that is run against TPC-H's `lineitem`, as a person would ask for it. */
import type { EngineName } from '../../src/domain/engine.ts';

export interface TpchOperation {
  readonly name: string;
  readonly engine: EngineName;
  /** Format version of the `lineitem` that it is for. */
  readonly version: 2 | 3;
  /** Words behind `icewright`; `{table}` is the table. */
  readonly words: readonly string[];
  /** `true`: first the table goes back to its small files and deletes. */
  readonly onMess?: boolean;
}

const BINPACK = ['compact', '{table}', '--target-file-size', '32MB'];
const BY_DATE = ['--columns', 'l_shipdate,l_orderkey'];

/** In this order; one without `onMess` finds what the one before it left. */
export const OPERATIONS: readonly TpchOperation[] = [
  { name: 'manifests', engine: 'trino', version: 2, words: ['manifests', '{table}'] },
  { name: 'compact', engine: 'trino', version: 2, words: BINPACK },
  {
    name: 'compact by Z-order',
    engine: 'spark',
    version: 2,
    words: ['compact', '{table}', '--strategy', 'zorder', ...BY_DATE],
    onMess: true,
  },
  { name: 'compact', engine: 'spark', version: 2, words: BINPACK, onMess: true },
  { name: 'manifests', engine: 'spark', version: 2, words: ['manifests', '{table}'] },
  {
    name: 'expire',
    engine: 'spark',
    version: 2,
    words: ['expire', '{table}', '--older-than', '1ms', '--keep-last', '1'],
  },
  { name: 'compact', engine: 'spark', version: 3, words: BINPACK },
  {
    name: 'compact by sort',
    engine: 'spark',
    version: 3,
    words: ['compact', '{table}', '--strategy', 'sort', ...BY_DATE],
  },
  { name: 'manifests', engine: 'trino', version: 3, words: ['manifests', '{table}'] },
];
