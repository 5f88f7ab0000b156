/** Spark's cores for a process that plans and runs nothing. */
import type { Config } from './config.ts';
import { readCores } from './engines/spark/cores.ts';
import { createSparkRunner } from './engines/spark/run.ts';

/** Planning does not wait for a Spark that is out of reach. */
const DEADLINE_MS = 3_000;

/** @returns `null`: Spark does not say, or not in time */
export async function askSparkCores({
  spark,
  catalog,
  deployment,
}: Config): Promise<number | null> {
  const runner = createSparkRunner({
    url: spark.url,
    deployment,
    catalog: catalog.name,
    callDeadlineMs: DEADLINE_MS,
  });
  try {
    return await readCores(runner);
  } catch {
    return null;
  } finally {
    await runner.close();
  }
}
