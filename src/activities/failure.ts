/** The one place where our errors become Temporal's: only activities throw failures. */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { ERROR_RULES, IcewrightError } from '../domain/errors.ts';

/** Wraps an activity so that whatever it throws carries one of our codes and its retryability. */
export function withFailures<In, Out>(
  activity: (input: In) => Promise<Out>,
): (input: In) => Promise<Out> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw toFailure(error);
    }
  };
}

/**
 * Heartbeats from an activity's first moment, with what an earlier attempt left: a catalog
 * or ledger that stalls must not make a second attempt start beside this one.
 */
export function withHeartbeats<In, Out>(
  activity: (input: In) => Promise<Out>,
): (input: In) => Promise<Out> {
  return async (input) => {
    const context = Context.current();
    const beat = () => {
      if (!beatsItself.has(context)) context.heartbeat(context.info.heartbeatDetails);
    };
    beat();
    const timer = setInterval(beat, 1_000);
    try {
      return await activity(input);
    } finally {
      clearInterval(timer);
    }
  };
}

/** Activities that have a trace of their own to heartbeat by now. */
export const beatsItself = new WeakSet<Context>();

export function toFailure(error: unknown): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (!(error instanceof IcewrightError)) {
    const message = error instanceof Error ? error.message : String(error);
    return ApplicationFailure.create({ type: 'Internal', message, nonRetryable: true });
  }
  if (error.code === 'Cancelled') return new CancelledFailure(error.message);
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !ERROR_RULES[error.code].retryable,
    details: [error.details],
  });
}
