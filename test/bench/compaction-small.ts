/** The small table of `bench:compaction`: ten files, one megabyte, from the request to the receipt. */
import { handJob } from '../../src/cli/job.ts';
import type { Config } from '../../src/config.ts';
import type { HandRequest } from '../../src/domain/hand-request.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { awaitRun, requestJob } from '../../src/temporal/jobs.ts';
import type { BenchLake } from './compaction-lake.ts';
import { NAMESPACE } from './compaction-shapes.ts';

const RUNS = Number(process.env.BENCH_SMALL_RUNS ?? 10);
const TABLE = `lake.${NAMESPACE}.small`;
const REQUEST: HandRequest = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: null,
  engine: 'spark',
};
const BARE = `CALL lake.system.rewrite_data_files(table => '${NAMESPACE}.small')`;

/** p50 in seconds of ours and of the bare call, in turn. */
export async function measureSmall(config: Config, { sql }: BenchLake) {
  const { client, close } = await connectTemporal(config.temporal);
  const times = { ours: [] as number[], bare: [] as number[] };
  try {
    for (let run = -2; run < RUNS; run += 1) {
      for (const variant of ['bare', 'ours'] as const) {
        await make(sql);
        const begin = performance.now();
        if (variant === 'bare') await sql(BARE);
        else {
          const { runId } = await requestJob(client, TABLE, handJob(REQUEST, 'bench'));
          await awaitRun(client, TABLE, runId);
        }
        if (run >= 0) times[variant].push((performance.now() - begin) / 1_000);
      }
    }
    await sql(`DROP TABLE ${TABLE} PURGE`);
    return { ours: median(times.ours), bare: median(times.bare), times };
  } finally {
    await close();
  }
}

async function make(sql: BenchLake['sql']): Promise<void> {
  await sql(`CREATE OR REPLACE TABLE ${TABLE} (id BIGINT, note STRING) USING iceberg`);
  await sql(
    `INSERT INTO ${TABLE} SELECT id, hex(xxhash64(id)) || hex(xxhash64(id, 1))
     FROM range(0, 45000, 1, 10)`,
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
