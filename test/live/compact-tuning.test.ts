/** Spark says how many cores it has, and takes every option that a compaction may be tuned with. */
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { CompactOperation, CompactTuning } from '../../src/domain/operation.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { compileOperation } from '../../src/engines/spark/compile.ts';
import { readCores } from '../../src/engines/spark/cores.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { checksum, type Lake, makeScattered, openLake } from './lake.ts';

const TABLE = 'lake.tuning.scattered';
const MB = 2 ** 20;
const TUNING: CompactTuning = {
  outputFileSizeBytes: 64 * MB,
  maxFileGroupSizeBytes: 1024 * MB,
  concurrentFileGroups: 16,
  largestFirst: true,
  zstdLevel: 1,
};

let lake: Lake;
const config = readConfig();
const spark = createSparkRunner({ url: config.spark.url, deployment: 'tuning', catalog: 'lake' });

beforeAll(() => {
  lake = openLake('tuning');
});

afterAll(async () => {
  await Promise.all([lake.close(), spark.close()]);
});

describe('tuning of a compaction', () => {
  it('the embedded Spark has the cores of this machine', async () => {
    expect(await readCores(spark)).toBe(availableParallelism());
  });

  it.each(['binpack', 'sort'] as const)('every option is taken by %s', async (strategy) => {
    await makeScattered(lake, TABLE, { files: 8, rows: 4_000 });
    const before = await checksum(lake, TABLE);
    const operation: CompactOperation = {
      kind: 'compact',
      strategy,
      columns: strategy === 'sort' ? ['customer_id'] : [],
      where: null,
      targetFileSizeBytes: 512 * MB,
      minInputFiles: 2,
      rewriteAll: false,
      tuning: TUNING,
    };
    const compiled = compileOperation(tableFromKey(TABLE), operation);
    if ('refused' in compiled) throw new Error(compiled.refused);
    for (const [at, statement] of compiled.entries()) {
      const key = `tuning/${process.pid}/${strategy}/${at}`;
      const { release } = await spark.run(statement, { key, session: 'tuning' });
      await release();
    }
    expect((await lake.measure(TABLE)).dataFiles).toBe(1);
    expect(await checksum(lake, TABLE)).toEqual(before);
  });
});
