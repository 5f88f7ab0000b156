/** One run of one model: pin what it reads, write, record. */
import type { JobOutcome } from '../domain/job.ts';
import type { JobInput } from './messages.ts';
import { emptyOutcome } from './outcome.ts';
import { controlFor, engineActivities } from './proxies.ts';
import { type OpenRun, recordedRun } from './recorded-run.ts';

export async function tableTransform(input: JobInput): Promise<JobOutcome> {
  return recordedRun(input, transform);
}

async function transform(run: OpenRun): Promise<JobOutcome> {
  const { table, job } = run;
  const opened = await controlFor(job.kind).openTransform(run);
  if (opened.outcome !== null) return { ...emptyOutcome(job), transform: opened.outcome };
  const { runModel } = engineActivities(opened.engine, job.kind);
  const model = job.work.kind === 'transform' ? job.work.model : '';
  const { outcome, receipt } = await runModel({
    table,
    runId: job.runId,
    model,
    inputs: opened.inputs,
  });
  return {
    ...emptyOutcome(job),
    transform: outcome,
    receipts: [receipt],
    state: receipt.status === 'failed' ? 'failed' : 'done',
    error: receipt.error,
  };
}
