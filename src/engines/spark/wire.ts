/** The gRPC channel to Spark Connect: typed calls over `spark-connect.proto`, nothing more. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { IcewrightError } from '../../domain/errors.ts';
import type * as message from './messages.ts';
import { type SparkTarget, sparkAddress } from './url.ts';

export interface WireOptions {
  readonly target: SparkTarget;
  /** PEM file of the authority that signed Spark's certificate; default: the system's. */
  readonly caFile?: string | undefined;
}

export type ResponseStream = grpc.ClientReadableStream<message.ExecutePlanResponse>;

/** One HTTP/2 channel with the calls that the runner makes. */
export interface Wire {
  /** `host:port`, for messages. */
  readonly address: string;
  executePlan(request: message.ExecutePlanRequest): ResponseStream;
  reattachExecute(request: message.ReattachExecuteRequest): ResponseStream;
  /** A call with one answer. Rejects with the `grpc.ServiceError`. */
  ask<K extends keyof message.UnaryCalls>(
    call: K,
    request: message.UnaryCalls[K]['request'],
    deadlineMs: number,
  ): Promise<message.UnaryCalls[K]['response']>;
  /** Ends all streams and the connection at once; what runs in Spark goes on. */
  close(): void;
  /** `true` after {@link close}. */
  isClosed(): boolean;
}

const definition = loadSync(fileURLToPath(new URL('./spark-connect.proto', import.meta.url)), {
  keepCase: true,
  longs: Number,
  enums: String,
  oneofs: true,
});
const service = definition['spark.connect.SparkConnectService'] as grpc.ServiceDefinition;
const decoders = definition['spark.connect.StatusDecoder'] as grpc.ServiceDefinition;

/** Reads `google.rpc.Status` from a call's trailers. */
export function decodeStatus(bytes: Buffer): message.RpcStatus {
  return decoders.Status?.responseDeserialize(bytes) as message.RpcStatus;
}

/** Reads `google.rpc.ErrorInfo`, the detail in which Spark tells its error class. */
export function decodeErrorInfo(bytes: Buffer): message.RpcErrorInfo {
  return decoders.Info?.responseDeserialize(bytes) as message.RpcErrorInfo;
}

const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  // Arrow batches may be larger than gRPC's default of 4 MB; Spark itself bounds them.
  'grpc.max_receive_message_length': -1,
  // Spark's default bound for error texts in trailers is 8 KB, more than gRPC's default allows.
  'grpc.max_metadata_size': 64 * 1024,
  // gRPC's own default backs off up to two minutes: too long for an engine that just restarted.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // Each runner has a connection of its own, so that closing one never touches another.
  'grpc.use_local_subchannel_pool': 1,
  // Whether a plan is sent again is decided in `execution.ts` only.
  'grpc.enable_retries': 0,
};

/** Opens the channel lazily: no connection is made before the first call. */
export function openWire(options: WireOptions): Wire {
  const address = sparkAddress(options.target);
  const Client = grpc.makeGenericClientConstructor(service, 'SparkConnectService');
  const client = new Client(address, credentialsOf(options), CHANNEL_OPTIONS);
  const metadata = metadataOf(options.target.token);
  const streams = new Set<ResponseStream>();
  let closed = false;
  const stream = (name: 'ExecutePlan' | 'ReattachExecute', request: unknown) => {
    const opened = client[name]?.(request, metadata.clone()) as ResponseStream;
    streams.add(opened);
    opened.once('close', () => streams.delete(opened));
    return opened;
  };
  return {
    address,
    executePlan: (request) => stream('ExecutePlan', request),
    reattachExecute: (request) => stream('ReattachExecute', request),
    ask: (call, request, deadlineMs) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + deadlineMs;
        client[call]?.(request, metadata.clone(), { deadline }, (error: unknown, answer: never) =>
          error ? reject(error) : resolve(answer),
        );
      }),
    close: () => {
      closed = true;
      for (const open of streams) open.cancel();
      client.close();
    },
    isClosed: () => closed,
  };
}

function credentialsOf(options: WireOptions): grpc.ChannelCredentials {
  if (!options.target.useSsl) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(options.caFile ? readCa(options.caFile) : null);
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new IcewrightError(
      'ConfigInvalid',
      `the certificate authority file ${file} for Spark Connect cannot be read`,
      { file },
      error,
    );
  }
}

function metadataOf(token: string | null): grpc.Metadata {
  const metadata = new grpc.Metadata();
  if (token !== null) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
