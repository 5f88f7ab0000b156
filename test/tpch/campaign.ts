/** Operations on TPC-H's `lineitem`, one after the other, each as a person asks for it. */
import type { EngineName } from '../../src/domain/engine.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { succeed } from '../live/command-line.ts';
import type { Lake } from '../live/lake.ts';
import type { TpchOperation } from './operations.ts';
import { type Answers, answer, OF_LINEITEM, QUERIES } from './queries.ts';
import { copyAsV3, makeTables, type Shape } from './tables.ts';

export interface Campaign {
  /** Answers and times of the state full of small files and deletes, by engine and version. */
  readonly before: ReadonlyMap<string, Answers>;
  perform(operation: TpchOperation): Promise<readonly Receipt[]>;
  /** Queries of `lineitem` in that version; of version 2 all 22. `chosen`: only those. */
  ask(engine: EngineName, version: 2 | 3, chosen?: (query: number) => boolean): Promise<Answers>;
}

/** Trino 476 does not read deletion vectors ("Unexpected PUFFIN file format"). */
export const READERS: Readonly<Record<2 | 3, readonly EngineName[]>> = {
  2: ['trino', 'spark'],
  3: ['spark'],
};

export function placeOf(engine: EngineName, version: 2 | 3): string {
  return `${engine} v${version}`;
}

/** Makes the tables, and asks all engines that can read them. */
export async function beginCampaign(
  lake: Lake,
  shape: Shape,
  tell: (line: string) => void = () => undefined,
): Promise<Campaign> {
  await makeTables(lake, shape);
  await copyAsV3(lake, shape);
  const ask: Campaign['ask'] = (engine, version, chosen = () => true) => {
    const queries = (version === 2 ? QUERIES : OF_LINEITEM).filter(chosen);
    const lineitem = version === 2 ? 'lineitem' : 'lineitem_v3';
    return answer(lake, engine, shape, { queries, lineitem });
  };
  const before = new Map<string, Answers>();
  for (const version of [2, 3] as const) {
    for (const engine of READERS[version]) {
      // A first time for warmth, or what is measured later would seem the faster for it.
      if (shape.warm) await ask(engine, version);
      const answers = await ask(engine, version);
      before.set(placeOf(engine, version), answers);
      tell(`before, ${placeOf(engine, version)}: ${Math.round(answers.tookMs / 1_000)} s`);
    }
  }
  const mess = new Map<string, string | null>();
  for (const table of [tableOf(shape, 2), tableOf(shape, 3)]) {
    mess.set(table, (await lake.measure(table)).snapshotId);
  }
  const perform: Campaign['perform'] = async ({ words, version, onMess = false }) => {
    const table = tableOf(shape, version);
    const [, ...name] = table.split('.');
    if (onMess) {
      const snapshotId = mess.get(table);
      await lake.spark(`CALL lake.system.set_current_snapshot('${name.join('.')}', ${snapshotId})`);
    }
    const asked = words.map((word) => word.replace('{table}', table));
    return (await succeed([...asked, '--wait'])).receipts as readonly Receipt[];
  };
  return { before, perform, ask };
}

function tableOf({ schema }: Shape, version: 2 | 3): string {
  return version === 2 ? `${schema}.lineitem` : `${schema}.lineitem_v3`;
}
