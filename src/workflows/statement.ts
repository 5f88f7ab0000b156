/** A statement on an engine, seen to its end whatever happens to the activity that runs it. */
import { CancellationScope, log } from '@temporalio/workflow';
import type { EndInput, EngineActivities } from '../activities/types.ts';
import type { EngineName } from '../domain/engine.ts';
import type { JobKind } from '../domain/job.ts';
import { engineActivities } from './proxies.ts';

/**
 * Runs the activity. When it ends without an answer (cancelled while its worker was away, retries
 * used up) the engine may still be at work: that is ended first, because the table's lock is let go
 * when this throws.
 */
export async function onEngine<T>(
  engine: EngineName,
  kind: JobKind,
  statement: Omit<EndInput, 'engine'>,
  run: (activities: Omit<EngineActivities, 'endStatement'>) => Promise<T>,
): Promise<T> {
  try {
    return await run(engineActivities(engine, kind));
  } catch (error) {
    await CancellationScope.nonCancellable(() => endOnEngine(engine, kind, statement));
    throw error;
  }
}

/** With the patience of the job's kind: an engine that stays away works on nothing of ours. */
async function endOnEngine(
  engine: EngineName,
  kind: JobKind,
  statement: Omit<EndInput, 'engine'>,
): Promise<void> {
  try {
    await engineActivities(engine, kind).endStatement({ engine, ...statement });
  } catch (error) {
    log.error('a statement may still run in its engine', { engine, error: String(error) });
  }
}
