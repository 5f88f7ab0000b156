/** One run of one model: pin what it reads, write, record. */
import { modelSession, operationKey } from '../domain/ids.ts';
import { emptyOutcome, type JobOutcome } from '../domain/job.ts';
import type { JobInput } from './messages.ts';
import { localControlFor } from './proxies.ts';
import { type OpenRun, recordedRun } from './recorded-run.ts';
import { onEngine } from './statement.ts';

export async function tableTransform(input: JobInput): Promise<JobOutcome> {
  return recordedRun(input, transform);
}

async function transform(run: OpenRun): Promise<JobOutcome> {
  const { table, job } = run;
  const opened = await localControlFor(job.kind).openTransform(run);
  if (opened.outcome !== null) return { ...emptyOutcome(job.runId), transform: opened.outcome };
  const model = job.work.kind === 'transform' ? job.work.model : '';
  const { runId } = job;
  const { engine, inputs } = opened;
  const statement = { key: operationKey(runId, 0), session: modelSession(model) };
  const { outcome, receipt } = await onEngine(engine, job.kind, statement, ({ runModel }) =>
    runModel({ table, runId, model, inputs }),
  );
  return {
    ...emptyOutcome(job.runId),
    transform: outcome,
    receipts: [receipt],
    state: receipt.status === 'failed' ? 'failed' : 'done',
    error: receipt.error,
  };
}
