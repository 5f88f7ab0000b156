/**
 * What maintenance does to queries: `npm run bench:tpch`, on the running stack (`npm start` first).
 *
 * TPC-H at scale 0.1 (`BENCH_SCALE`), `lineitem` partitioned by month in some 500 small files with
 * updates and deletes, and a copy of it of format version 3. After every operation all 22 queries
 * are asked on both engines; it fails when one answers otherwise than before.
 * - `trinoAfterOfBefore`, `sparkAfterOfBefore`: total time of the 22 queries after all operations ÷
 *   before them. Lower is better; aim: ≤ 1.
 * - `sparkV3AfterOfBefore`: the same of the 17 queries that read `lineitem`, of the copy; Trino does
 *   not read deletion vectors.
 * The last line is one line of JSON.
 */
import { cpus, totalmem } from 'node:os';
import { homeDir } from '../../src/config.ts';
import { openLake } from '../live/lake.ts';
import { beginCampaign, type Campaign, placeOf, READERS } from '../tpch/campaign.ts';
import { OPERATIONS } from '../tpch/operations.ts';
import type { Answers } from '../tpch/queries.ts';
import type { Shape } from '../tpch/tables.ts';

const SCALE = Number(process.env.BENCH_SCALE ?? 0.1);
const SHAPE: Shape = {
  schema: 'lake.bench_tpch',
  scale: SCALE,
  partitionedBy: 'month',
  batches: 6,
  warm: true,
};
const seconds = (ms: number) => Math.round(ms / 100) / 10;

async function main(): Promise<void> {
  process.env.ICEWRIGHT_HOME ??= homeDir();
  const lake = openLake('bench-tpch');
  try {
    const campaign = await beginCampaign(lake, SHAPE, (line) => console.error(line));
    const figures: Record<string, number> = {};
    const ratios: Record<string, number> = {};
    for (const operation of OPERATIONS) {
      const { name, engine, version } = operation;
      const [receipt] = await campaign.perform(operation);
      if (receipt?.status !== operation.status) {
        throw new Error(`${name} on ${engine} of v${version} ended as ${receipt?.status}`);
      }
      const tookMs = Date.parse(receipt?.finishedAt ?? '') - Date.parse(receipt?.startedAt ?? '');
      const asked = await askAll(campaign, version);
      const times = READERS[version].map(
        (one) => `${one} ${seconds(asked.get(one)?.tookMs ?? 0)} s`,
      );
      console.error(
        `${name} on ${engine}, v${version}: ${receipt?.status} in ${seconds(tookMs)} s, ` +
          `${receipt?.filesBefore} → ${receipt?.filesAfter} files; queries: ${times.join(', ')}`,
      );
      figures[`${name} on ${engine} v${version} s`] = seconds(tookMs);
    }
    for (const version of [2, 3] as const) {
      const after = await askAll(campaign, version);
      for (const engine of READERS[version]) {
        const [was, is] = [campaign.before.get(placeOf(engine, version)), after.get(engine)];
        const name = `${engine}${version === 3 ? 'V3' : ''}`;
        figures[`${name}BeforeSeconds`] = seconds(was?.tookMs ?? 0);
        figures[`${name}AfterSeconds`] = seconds(is?.tookMs ?? 0);
        ratios[`${name}AfterOfBefore`] = Number(
          ((is?.tookMs ?? 0) / (was?.tookMs ?? 1)).toFixed(2),
        );
      }
    }
    const machine = { cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
    console.log(JSON.stringify({ bench: 'tpch', ratios, figures, machine }));
  } finally {
    await lake.close();
  }
}

/** Throws when an answer is another one than before. */
async function askAll(campaign: Campaign, version: 2 | 3) {
  const asked = new Map<string, Answers>();
  for (const engine of READERS[version]) {
    const now = await campaign.ask(engine, version);
    asked.set(engine, now);
    const before = campaign.before.get(placeOf(engine, version));
    for (const [query, rows] of now.rows) {
      if (JSON.stringify(rows) === JSON.stringify(before?.rows.get(query))) continue;
      throw new Error(`Q${query} on ${engine} of v${version} answers otherwise than before`);
    }
  }
  return asked;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
