import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from './messages.ts';
import type { Wire } from './wire.ts';

export interface CancelOptions {
  readonly wire: Wire;
  readonly caller: Caller;
  readonly operationId: string;
  readonly signal: AbortSignal | undefined;
}

/** Pause between two interrupts, in ms: the first may overtake the plan it is meant for. */
const REPEAT_MS = 500;
const CALL_DEADLINE_MS = 5_000;

/**
 * Interrupts the operation in Spark as soon as the signal is aborted, and again until the returned
 * function is called, because an interrupt that arrives before its operation does nothing.
 */
export function interruptOnAbort(options: CancelOptions): () => void {
  const { signal } = options;
  let ended = false;
  const start = async () => {
    while (!ended && !options.wire.isClosed()) {
      await interrupt(options);
      await sleep(REPEAT_MS, undefined, { ref: false });
    }
  };
  if (signal?.aborted) void start();
  else signal?.addEventListener('abort', start, { once: true });
  return () => {
    ended = true;
    signal?.removeEventListener('abort', start);
  };
}

/** Asks Spark to stop the operation; an operation that has ended or is unknown is left in peace. */
export async function interrupt(options: Omit<CancelOptions, 'signal'>): Promise<void> {
  const request = {
    ...options.caller,
    interrupt_type: 'INTERRUPT_TYPE_OPERATION_ID' as const,
    operation_id: options.operationId,
  };
  await options.wire.ask('Interrupt', request, CALL_DEADLINE_MS).catch(() => undefined);
}
