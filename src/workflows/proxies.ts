/** Activity proxies, grouped by what a retry means. */
import type { RetryPolicy } from '@temporalio/common';
import {
  type ActivityInterfaceFor,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ErasureActivities, ErasureEngineActivities } from '../activities/erasure/types.ts';
import type { SweepActivities } from '../activities/sweep/types.ts';
import type { ControlActivities, EngineActivities, HealthActivities } from '../activities/types.ts';
import type { EngineName } from '../domain/engine.ts';
import { ENGINE_QUEUES } from '../domain/ids.ts';
import type { JobKind } from '../domain/job.ts';

/**
 * Half an hour: longer than a catalog or database restart and shorter than a night.
 */
const NIGHT_PATIENCE = {
  initialInterval: '500ms',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 65,
} as const;

/** About ten seconds, then the person who waits is shown the error. */
const PERSON_PATIENCE = { ...NIGHT_PATIENCE, maximumInterval: '5s', maximumAttempts: 5 } as const;

/**
 * About a minute: then the batch says what its requests wait for, and has the table erased again,
 * for as long as it takes.
 */
const STEP_PATIENCE = { ...NIGHT_PATIENCE, maximumInterval: '15s', maximumAttempts: 8 } as const;

function patienceFor(kind: JobKind) {
  if (kind === 'erasure') return STEP_PATIENCE;
  return kind === 'manual' ? PERSON_PATIENCE : NIGHT_PATIENCE;
}

/** Steps on catalog and ledger, all idempotent. */
export const control: ActivityInterfaceFor<ControlActivities> = proxyActivities<ControlActivities>({
  startToCloseTimeout: '2 minutes',
  retry: NIGHT_PATIENCE,
});

/** For what can be done without: about ten seconds. */
export const hastyControl: ActivityInterfaceFor<ControlActivities> =
  proxyActivities<ControlActivities>({ startToCloseTimeout: '5s', retry: PERSON_PATIENCE });

/**
 * The same in the worker that runs the workflow: a third of the delay. Not for the table's
 * workflow, see `table-queue.ts`.
 */
export const localControl = localActivities(NIGHT_PATIENCE);

/** With the patience of the job's kind, for steps whose failure is the run's. */
export function localControlFor(kind: JobKind): ActivityInterfaceFor<ControlActivities> {
  return localActivities(patienceFor(kind));
}

function localActivities(retry: RetryPolicy): ActivityInterfaceFor<ControlActivities> {
  return proxyLocalActivities<ControlActivities>({
    startToCloseTimeout: '2 minutes',
    // A cancelled night must know what it has asked for before it takes it back.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry,
  });
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
    retry: patienceFor(kind),
  });
}

const SWEEPING = {
  startToCloseTimeout: '30 minutes',
  // A killed worker is noticed after this long; the steps heartbeat every second.
  heartbeatTimeout: '15s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '15s',
    maximumAttempts: 7,
  },
} as const;

/**
 * Steps of a health sweep: after about a minute the sweep goes on without what does not answer, and
 * the next one asks again. Not local activities: see `table-queue.ts`.
 */
export const healthSteps: ActivityInterfaceFor<HealthActivities> =
  proxyActivities<HealthActivities>({ ...SWEEPING });

/** Steps of a maintenance sweep, with the same patience. */
export const sweepSteps: ActivityInterfaceFor<SweepActivities> = proxyActivities<SweepActivities>({
  ...SWEEPING,
});

/** Months, if it must be: a request that cannot go on waits, and its row says why. */
const ERASURE_PATIENCE = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '5 minutes',
} as const;

/** Steps of erasure requests on the ledger, all idempotent. */
export const erasureControl: ActivityInterfaceFor<ErasureActivities> =
  proxyActivities<ErasureActivities>({
    startToCloseTimeout: '10 minutes',
    // A killed worker is noticed after this long; the steps heartbeat every second.
    heartbeatTimeout: '15s',
    retry: { ...ERASURE_PATIENCE, maximumAttempts: 20 },
  });

/**
 * Finding and verifying: they read whole tables, and change none. After about a minute whoever
 * waits is told why, and it is tried again.
 */
export const erasureEngine: ActivityInterfaceFor<Omit<ErasureEngineActivities, 'eraseStep'>> =
  proxyActivities<Omit<ErasureEngineActivities, 'eraseStep'>>({
    taskQueue: ENGINE_QUEUES.spark,
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: '15s',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { ...ERASURE_PATIENCE, maximumAttempts: 7 },
  });
