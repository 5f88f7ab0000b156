/**
 * What Temporal itself takes on this machine for the least that one step of durable work needs: a
 * workflow with one activity that does nothing, from trigger to done.
 */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';

const TASK_QUEUE = 'icewright-bench-floor';

/** Serves the workflow while `body` runs; `once` performs it one time. */
export async function withTemporalFloor<T>(
  client: Client,
  address: string,
  body: (once: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('temporal-floor.workflow.ts', import.meta.url)),
      logger,
    }),
    activities: { nothing: async () => {} },
  });
  const running = worker.run();
  let count = 0;
  try {
    return await body(async () => {
      count += 1;
      const workflowId = `bench-floor/${process.pid}/${count}`;
      await client.workflow.execute('oneActivity', { taskQueue: TASK_QUEUE, workflowId });
    });
  } finally {
    worker.shutdown();
    await running;
    await connection.close();
  }
}
