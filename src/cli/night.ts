/** Starts a night, shows how far it is, and prints its report. */
import { CONTROL_QUEUE, nightlyWorkflowId, transformWorkflowId } from '../domain/ids.ts';
import type { Plan } from '../domain/operation.ts';
import type { NightlyInput, NightlyProgress, NightlyReport } from '../workflows/messages.ts';
import type { CommandResult } from './command.ts';
import { newRunId } from './job.ts';
import { tellNight } from './night-report.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

const PROGRESS_MS = 500;
const NO_WORKER_MS = 5_000;

export interface NightRequest {
  readonly workflow: 'nightly' | 'transformRun';
  readonly models: readonly string[];
  readonly maintenance: boolean;
  readonly concurrency: number;
}

export async function performNight(
  session: Session,
  terminal: Terminal,
  request: NightRequest,
): Promise<CommandResult> {
  // Faults in models and policies are told here, with file and line, before anything starts.
  const project = await session.project();
  await Promise.all([project.models(), project.policies()]);
  const { startNight, watchNight } = await import('../temporal/nights.ts');
  const { hasWorker } = await import('../temporal/workers.ts');
  const client = await session.temporal();
  const runId = newRunId();
  const { workflow, models, maintenance, concurrency } = request;
  const input: NightlyInput = {
    runId,
    requestedBy: session.requestedBy,
    models,
    maintenance,
    concurrency,
  };
  const id = workflow === 'nightly' ? nightlyWorkflowId(runId) : transformWorkflowId(runId);
  const night = await startNight(client, { workflow, workflowId: id, input });
  terminal.note(`${workflow === 'nightly' ? 'night' : 'transform'} ${runId} started`);
  const startedMs = Date.now();
  let warned = false;
  const report = await watchNight(night, PROGRESS_MS, async (progress) => {
    if (progress !== null) return terminal.progress(progressLine(progress));
    if (warned || Date.now() - startedMs < NO_WORKER_MS) return;
    warned = true;
    if (await hasWorker(client, CONTROL_QUEUE)) return;
    terminal.note('no worker runs at the moment: the night waits until one is started');
  });
  terminal.progress('');
  const plan = await readPlan(session, report);
  tellNight(terminal, report, plan, session.config.temporal.uiUrl);
  const json = { ...report, decisions: plan?.tables ?? [] };
  return report.failed.length === 0 ? { json } : { json, exitCode: 1 };
}

async function readPlan(session: Session, report: NightlyReport): Promise<Plan | null> {
  return report.planId === null ? null : (await session.ledger()).readPlan(report.planId);
}

function progressLine({ phase, models, tables }: NightlyProgress): string {
  const list = phase === 'maintaining' ? tables : models;
  const ended = list.filter((one) => one.state !== 'waiting' && one.state !== 'running').length;
  const running = list.flatMap((one) =>
    one.state === 'running' ? ['model' in one ? one.model : one.table] : [],
  );
  const names = running.length === 0 ? '' : `: ${running.join(', ')}`;
  return `${phase} ${ended}/${list.length}${names}`;
}
