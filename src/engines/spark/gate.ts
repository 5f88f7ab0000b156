import { IcewrightError } from '../../domain/errors.ts';

/** Leaves the gate; calling it twice does no harm. */
export type Leave = () => void;

/** Lets statements into one Spark session; see {@link createGate}. */
export interface Gate {
  /** Waits until statements with other settings have left. Rejects with `Cancelled` on abort. */
  enter(settings: string, signal?: AbortSignal): Promise<Leave>;
  /** For an execution that is running already: it cannot be made to wait. */
  join(settings: string): Leave;
}

interface Waiter {
  readonly settings: string;
  readonly admit: () => void;
}

/**
 * Spark keeps settings per session and reads them when it likes, so statements with different
 * settings must not run in one session at the same time. Equal settings run side by side, others
 * wait in order of arrival. Callers that want concurrency use several sessions.
 */
export function createGate(): Gate {
  const inside: string[] = [];
  const waiting: Waiter[] = [];

  const admissible = (settings: string) => inside.every((other) => other === settings);
  const leaver = (settings: string): Leave => {
    inside.push(settings);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inside.splice(inside.indexOf(settings), 1);
      admitNext();
    };
  };
  const admitNext = () => {
    while (waiting[0] !== undefined && admissible(waiting[0].settings)) waiting.shift()?.admit();
  };

  return {
    join: leaver,
    enter: (settings, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(cancelledWhileWaiting());
        if (waiting.length === 0 && admissible(settings)) return resolve(leaver(settings));
        const abort = () => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(cancelledWhileWaiting());
          admitNext();
        };
        const admit = () => {
          signal?.removeEventListener('abort', abort);
          resolve(leaver(settings));
        };
        const waiter: Waiter = { settings, admit };
        waiting.push(waiter);
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}

function cancelledWhileWaiting(): IcewrightError {
  return new IcewrightError('Cancelled', 'the statement was cancelled before it reached Spark', {
    handedOver: false,
  });
}
