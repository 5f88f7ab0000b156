import { type Failure, readFailure } from './failure.ts';
import type { ExecutePlanResponse } from './messages.ts';
import type { ResponseStream } from './wire.ts';

/** How one response stream ended. */
export interface StreamEnd {
  /** Responses that arrived on it. */
  readonly received: number;
  /** `null`: the server ended it in order (which does not mean that the statement has ended). */
  readonly failure: Failure | null;
}

/**
 * Reads one stream to its end. Rejects only when `onResponse` throws.
 * @param stallMs a stream that is silent for so long is cut: its connection may be half dead, and
 * no one would ever say so. Spark ends every stream by itself after two minutes (its default), so
 * a longer silence is never a healthy one.
 */
export function followStream(
  stream: ResponseStream,
  onResponse: (response: ExecutePlanResponse) => void,
  stallMs: number,
): Promise<StreamEnd> {
  return new Promise((resolve, reject) => {
    let received = 0;
    let broken: unknown = null;
    const timer = setTimeout(() => stream.cancel(), stallMs);
    const settle = (failure: Failure | null) => {
      clearTimeout(timer);
      if (broken !== null) reject(broken);
      else resolve({ received, failure });
    };
    stream.on('data', (response: ExecutePlanResponse) => {
      timer.refresh();
      received += 1;
      if (broken !== null) return;
      try {
        onResponse(response);
      } catch (error) {
        broken = error;
        stream.cancel();
      }
    });
    stream.on('error', (error) => settle(readFailure(error)));
    stream.on('end', () => settle(null));
  });
}
