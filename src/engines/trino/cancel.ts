import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../../domain/errors.ts';
import type { Position } from './drive.ts';
import type { Link } from './link.ts';

/** Trino ends a query within a second; a coordinator under load may need longer. */
const END_PATIENCE_MS = 60_000;
const POLL_MS = 100;

/**
 * Ends a statement inside Trino and waits until Trino says that it has ended.
 * @param position `null`: nothing was handed over
 * @returns the error to reject with: `Cancelled`, or `EngineOutcomeUnknown` when Trino does not
 * confirm the end within a minute
 */
export async function endQuery(link: Link, position: Position | null): Promise<IcewrightError> {
  if (position === null) {
    return new IcewrightError('Cancelled', 'cancelled before anything was handed to Trino', {
      engine: 'trino',
    });
  }
  const { queryId } = position;
  try {
    await link.cancel(queryId, position.uri);
    const state = await waitForTheEnd(link, queryId);
    return new IcewrightError('Cancelled', `cancelled; Trino ended query ${queryId} (${state})`, {
      engine: 'trino',
      queryId,
      engineState: state,
    });
  } catch (cause) {
    if (cause instanceof IcewrightError) return cause;
    throw cause;
  }
}

/** A query that Trino does not know (never begun, or long forgotten) or does not show has ended. */
async function waitForTheEnd(link: Link, queryId: string): Promise<string> {
  const giveUpAt = performance.now() + END_PATIENCE_MS;
  for (;;) {
    const query = await link.queryState(queryId);
    if (typeof query === 'string') return query;
    if (query.state === 'FINISHED' || query.state === 'FAILED') return query.state;
    if (performance.now() > giveUpAt) {
      throw new IcewrightError(
        'EngineOutcomeUnknown',
        `Trino was told to end query ${queryId}, which is still ${query.state}; ` +
          'look at it in the engine before doing the work again',
        { engine: 'trino', queryId, engineState: query.state },
      );
    }
    await sleep(POLL_MS);
  }
}
