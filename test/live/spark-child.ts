/** A process to be killed: runs one statement on Spark and prints handle and progress as lines. */
import { createSparkRunner } from '../../src/engines/spark/run.ts';

const { url, deployment, catalog, key, session, sql } = JSON.parse(process.argv[2] ?? '{}');
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const runner = createSparkRunner({ url, deployment, catalog });
await runner.run(
  { engine: 'spark', sql },
  { key, session, onStarted: (handle) => say({ handle }), onProgress: say },
);
say({ done: true });
await runner.close();
