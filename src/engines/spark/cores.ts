/** How many tasks Spark runs at the same time. */
import type { EngineRunner } from '../../domain/engine.ts';

/** Spark shows into how many tasks it would cut a range: its default parallelism. Runs no task. */
const SQL = 'EXPLAIN SELECT * FROM range(1)';
const SESSION = 'cores';

let asked = 0;

/**
 * Cores of all executors that are there now (`spark.default.parallelism` where that is set).
 * @returns `null`: Spark says it in words that are not known here. Rejects as `run` does.
 */
export async function readCores(spark: EngineRunner): Promise<number | null> {
  asked += 1;
  const key = `cores/${process.pid}/${Date.now()}/${asked}`;
  const { rows, release } = await spark.run(
    { engine: 'spark', sql: SQL },
    { key, session: SESSION },
  );
  await release();
  return coresIn(String(rows[0]?.plan ?? ''));
}

/** @param plan `*(1) Range (0, 1, step=1, splits=2)` */
export function coresIn(plan: string): number | null {
  const splits = /Range \(.*\bsplits=(\d+)\)/.exec(plan)?.[1];
  return splits === undefined || Number(splits) < 1 ? null : Number(splits);
}
