/** The client's connection to the Temporal server. */
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { IcewrightError } from '../domain/errors.ts';
import { openDataConverter, type PayloadKeys } from './codec.ts';

export interface TemporalOptions {
  readonly address: string;
  readonly namespace: string;
  readonly tls: boolean;
  readonly apiKey: string | undefined;
  /** What payloads are encrypted with; left out: they are not. */
  readonly payloadKeys?: PayloadKeys;
}

/**
 * The server also says RESOURCE_EXHAUSTED when a workflow closes or continues as new at the moment
 * of the request; the client library then waits 1.7 s, where milliseconds do. Ten attempts, 85 ms
 * to 5 s apart.
 */
const RETRIES = makeGrpcRetryInterceptor(
  defaultGrpcRetryOptions({ initialIntervalMs: () => RETRY_INITIAL_MS }),
);
const RETRY_INITIAL_MS = 50;

/** A server that does not answer becomes our own, retryable error; others stay what they are. */
export function temporalError(error: unknown): unknown {
  if (!isGrpcServiceError(error)) return error;
  const message = `Temporal did not answer: ${error.message}`;
  return new IcewrightError('TemporalUnavailable', message, {}, error);
}

/**
 * Connects, or rejects with `TemporalUnavailable` after `timeoutMs`.
 * @param timeoutMs default 5 s
 */
export async function connectTemporal(
  options: TemporalOptions,
  timeoutMs = 5_000,
): Promise<{ readonly client: Client; readonly close: () => Promise<void> }> {
  const { address, namespace, tls, apiKey, payloadKeys } = options;
  const dataConverter = openDataConverter(payloadKeys);
  try {
    const connection = await Connection.connect({
      address,
      connectTimeout: timeoutMs,
      interceptors: [RETRIES],
      tls: tls || apiKey !== undefined,
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    const client = new Client({
      connection,
      namespace,
      ...(dataConverter === null ? {} : { dataConverter }),
    });
    return { client, close: () => connection.close() };
  } catch (error) {
    throw new IcewrightError(
      'TemporalUnavailable',
      `no Temporal server answers at ${address}: start the stack with "icewright stack up", ` +
        'or set ICEWRIGHT_TEMPORAL_ADDRESS',
      { address },
      error,
    );
  }
}
