import type { UnreadableReason } from '../domain/erasure/certificate.ts';
import { IcewrightError } from '../domain/errors.ts';

/** An object that cannot be read to its end: a trace. Says nothing of what the object holds. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly because: UnreadableReason;

  constructor(because: UnreadableReason) {
    super(`an object cannot be read: ${because}`);
    this.because = because;
  }
}

/**
 * Why an object could not be read; `null`: the store is at fault, not the object, and the
 * verification has to be tried again.
 */
export function unreadableReason(cause: unknown): UnreadableReason | null {
  if (cause instanceof Unreadable) return cause.because;
  if (cause instanceof IcewrightError) return cause.details.missing === true ? 'missing' : null;
  if ((cause as Error | null)?.name === 'AbortError') return null;
  // Readers of damaged bytes fail in any way they like; what they say may quote the bytes.
  return 'damaged';
}

/**
 * The failure without the address in it: paths may hold personal data. Its cause is left out for
 * the same reason.
 */
export function withoutAddress(cause: unknown): unknown {
  if (!(cause instanceof IcewrightError)) return cause;
  const { store, error, status } = cause.details;
  const message = `the second reader was stopped by the object store: ${cause.code}`;
  return new IcewrightError(cause.code, message, { store, error, status });
}
