/**
 * A scripted Spark Connect server for what a real Spark cannot be made to do on demand: ending its
 * streams early, falling silent, refusing credentials half-way.
 */
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** What a scripted stream does after its responses. */
export interface ScriptedStream {
  readonly responses?: readonly object[];
  /** `end`: closes in order. `hang`: stays silent. A code: fails with it. */
  readonly after: 'end' | 'hang' | { readonly code: number; readonly text: string };
}

export interface SparkStub {
  readonly url: string;
  /** Requests as they came: `[call, request]`. */
  readonly calls: [string, Record<string, unknown>][];
  close(): Promise<void>;
}

const PROTO = new URL('../../src/engines/spark/spark-connect.proto', import.meta.url);

/** Starts a server that answers execution streams in the order of the script. */
export async function startSparkStub(script: readonly ScriptedStream[]): Promise<SparkStub> {
  const definition = loadSync(fileURLToPath(PROTO), { keepCase: true, oneofs: true });
  const service = definition['spark.connect.SparkConnectService'] as grpc.ServiceDefinition;
  const server = new grpc.Server();
  const calls: SparkStub['calls'] = [];
  const steps = [...script];
  const stream = (name: string) => (call: grpc.ServerWritableStream<object, object>) => {
    calls.push([name, call.request as Record<string, unknown>]);
    const step = steps.shift();
    for (const response of step?.responses ?? []) call.write(response);
    if (step === undefined)
      return void call.emit('error', failure(grpc.status.INTERNAL, 'script ended'));
    if (step.after === 'end') call.end();
    else if (step.after !== 'hang') call.emit('error', failure(step.after.code, step.after.text));
  };
  const answer =
    (name: string, response: object) =>
    (call: grpc.ServerUnaryCall<object, object>, reply: grpc.sendUnaryData<object>) => {
      calls.push([name, call.request as Record<string, unknown>]);
      reply(null, response);
    };
  server.addService(service, {
    ExecutePlan: stream('ExecutePlan'),
    ReattachExecute: stream('ReattachExecute'),
    Config: answer('Config', { pairs: [], server_side_session_id: 'server-1' }),
    Interrupt: answer('Interrupt', {}),
    ReleaseExecute: answer('ReleaseExecute', {}),
    FetchErrorDetails: answer('FetchErrorDetails', {}),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    url: `sc://127.0.0.1:${port}`,
    calls,
    close: async () => server.forceShutdown(),
  };
}

function failure(code: number, text: string): Error {
  return Object.assign(new Error(text), { code, details: text });
}
