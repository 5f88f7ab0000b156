/** Activity proxies, grouped by what a retry means. */
import {
  type ActivityInterfaceFor,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ControlActivities, EngineActivities } from '../activities/types.ts';
import type { EngineName } from '../domain/engine.ts';
import { ENGINE_QUEUES } from '../domain/ids.ts';
import type { JobKind } from '../domain/job.ts';

/**
 * Short steps on catalog and ledger, all idempotent: they are repeated for half an hour, which is
 * longer than a catalog or database restart and shorter than a night.
 */
export const control: ActivityInterfaceFor<ControlActivities> = proxyActivities<ControlActivities>({
  startToCloseTimeout: '2 minutes',
  // A cancelled night must know what it has asked for before it takes it back.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: {
    initialInterval: '500ms',
    backoffCoefficient: 2,
    maximumInterval: '30s',
    maximumAttempts: 65,
  },
});

/** The same for a person who waits: about ten seconds, then the error is shown. */
const controlForPeople = proxyActivities<ControlActivities>({
  startToCloseTimeout: '2 minutes',
  retry: {
    initialInterval: '500ms',
    backoffCoefficient: 2,
    maximumInterval: '5s',
    maximumAttempts: 5,
  },
});

/** Bookkeeping at the edges of a run, executed in the worker that runs the workflow. */
export const bookkeeping: ActivityInterfaceFor<ControlActivities> =
  proxyLocalActivities<ControlActivities>({
    startToCloseTimeout: '30s',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: '30s',
      maximumAttempts: 65,
    },
  });

export function controlFor(kind: JobKind): ActivityInterfaceFor<ControlActivities> {
  return kind === 'manual' ? controlForPeople : control;
}

/**
 * Statements on an engine. A retry never starts a statement twice: the activity takes over the
 * execution that is there, or finds out what became of it. A person waits for about ten seconds
 * while an engine is away, a night for half an hour.
 */
export function engineActivities(
  engine: EngineName,
  kind: JobKind,
): ActivityInterfaceFor<EngineActivities> {
  return proxyActivities<EngineActivities>({
    taskQueue: ENGINE_QUEUES[engine],
    startToCloseTimeout: '24 hours',
    // A killed worker is noticed after this long; progress is heartbeated every second.
    heartbeatTimeout: '15s',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: kind === 'manual' ? '5s' : '30s',
      maximumAttempts: kind === 'manual' ? 5 : 65,
    },
  });
}
