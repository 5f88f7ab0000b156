/** The one place where our errors become Temporal's: only activities throw failures. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
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
