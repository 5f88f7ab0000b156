/** Traces of runs, received by a small collector: ids that fit together across workers. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Ledger, RunRow } from '../../src/activities/ledger-port.ts';
import { readConfig } from '../../src/config.ts';
import { createOtlpExporter, traceLedger } from '../../src/temporal/traces.ts';
import { makeReceipt } from '../http/metrics-fixture.ts';

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly status: { readonly code: number; readonly message?: string };
}

interface Received {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly service: unknown;
  readonly spans: readonly ReceivedSpan[];
}

let server: Server;

afterEach(() => server?.close());

/** Takes OTLP over HTTP, as JSON. `refuse`: how many requests it turns away first. */
async function listen(refuse = 0): Promise<{ endpoint: string; received: Received[] }> {
  const received: Received[] = [];
  let left = refuse;
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    left -= 1;
    if (left >= 0) return response.writeHead(503).end();
    const [{ resource, scopeSpans }] = JSON.parse(body).resourceSpans;
    received.push({
      path: request.url ?? '',
      authorization: request.headers.authorization,
      service: resource.attributes,
      spans: scopeSpans[0].spans,
    });
    return response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, received };
}

const row = (own: Partial<RunRow>): RunRow => ({
  runId: 'r1',
  kind: 'maintenance',
  table: 'lake.silver.orders',
  title: 'compact',
  parentRunId: 'n1',
  workflowId: 'run/r1',
  planId: null,
  state: 'done',
  requestedBy: 'nightly:n1',
  createdAt: '2026-03-01T01:00:00.000Z',
  startedAt: '2026-03-01T01:00:05.000Z',
  finishedAt: '2026-03-01T01:01:00.000Z',
  error: null,
  outcome: null,
  ...own,
});

const NIGHT = row({
  ...{ runId: 'n1', kind: 'nightly', table: null, title: 'nightly', parentRunId: null },
  requestedBy: 'schedule:nightly',
  finishedAt: '2026-03-01T01:02:00.000Z',
});

/** Keeps nothing but the rows of runs. */
function memoryLedger(rows: readonly RunRow[] = []): Ledger {
  const known = new Map(rows.map((one) => [one.runId, one]));
  return {
    saveRun: async (run: RunRow) => void known.set(run.runId, run),
    readRun: async (runId: string) => known.get(runId) ?? null,
    saveReceipt: async (_run: string, _ordinal: number, _table: string, receipt: unknown) =>
      receipt,
  } as unknown as Ledger;
}

const exporterTo = (endpoint: string) =>
  createOtlpExporter({ endpoint, headers: { authorization: 'Bearer t' }, serviceName: 'test' });

describe('the trace of a night', () => {
  it('leads from the schedule to the statement on the engine', async () => {
    const { endpoint, received } = await listen();
    const exporter = exporterTo(`${endpoint}/`);
    const ledger = traceLedger(memoryLedger(), exporter);
    await ledger.saveRun(row({ state: 'running', finishedAt: null }));
    await ledger.saveReceipt('r1', 0, 'lake.silver.orders', {
      ...makeReceipt('compact', 'done'),
      engineOperationId: 'op-7',
    });
    await ledger.saveRun(row({}));
    await ledger.saveRun(NIGHT);
    await exporter.close();
    expect(received).toHaveLength(1);
    const [{ path, authorization, service, spans }] = received as [Received];
    expect([path, authorization]).toEqual(['/v1/traces', 'Bearer t']);
    expect(service).toEqual([{ key: 'service.name', value: { stringValue: 'test' } }]);
    const [statement, run, wait, night] = spans as ReceivedSpan[];
    expect(spans.map(({ name }) => name)).toEqual([
      'spark compact',
      'compact lake.silver.orders',
      'wait for the table',
      'nightly',
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(statement?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(statement?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(statement?.parentSpanId).toBe(run?.spanId);
    expect(wait?.parentSpanId).toBe(run?.spanId);
    expect(run?.parentSpanId).toBe(night?.spanId);
    expect(night).not.toHaveProperty('parentSpanId');
    expect(night?.attributes).toContainEqual({
      key: 'icewright.requested_by',
      value: { stringValue: 'schedule:nightly' },
    });
    expect(statement?.attributes).toContainEqual({
      key: 'icewright.engine_operation_id',
      value: { stringValue: 'op-7' },
    });
    expect(wait?.endTimeUnixNano).toBe(`${Date.parse('2026-03-01T01:00:05Z')}000000`);
    expect(spans.map(({ status }) => status.code)).toEqual([1, 1, 1, 1]);
  });

  it('is the same one for a worker that knows the run only from the ledger', async () => {
    const { endpoint, received } = await listen();
    const trace = async (rows: readonly RunRow[], act: (ledger: Ledger) => Promise<unknown>) => {
      const exporter = exporterTo(endpoint);
      await act(traceLedger(memoryLedger(rows), exporter));
      await new Promise((resume) => setImmediate(resume));
      await exporter.close();
    };
    await trace([], (ledger) => ledger.saveRun(row({})));
    await trace([row({})], (ledger) =>
      ledger.saveReceipt('r1', 0, 'lake.silver.orders', makeReceipt('compact', 'done')),
    );
    const [run, statement] = received.map(({ spans }) => spans[0]);
    expect(statement?.traceId).toBe(run?.traceId);
    expect(statement?.parentSpanId).toBe(run?.spanId);
  });

  it('names the code of an error, and nothing else of it', async () => {
    const { endpoint, received } = await listen();
    const exporter = exporterTo(endpoint);
    const error = { code: 'EngineRejected', message: 'secret words' };
    await traceLedger(memoryLedger(), exporter).saveRun(row({ state: 'failed', error }));
    await exporter.close();
    expect(received[0]?.spans[0]?.status).toEqual({ code: 2, message: 'EngineRejected' });
    expect(JSON.stringify(received)).not.toContain('secret words');
  });
});

describe('a collector that is away', () => {
  it('disturbs nothing, and gets the spans later', async () => {
    const { endpoint, received } = await listen(1);
    const exporter = exporterTo(endpoint);
    const ledger = traceLedger(memoryLedger(), exporter);
    await expect(ledger.saveRun(NIGHT)).resolves.toBeUndefined();
    await exporter.close();
    expect(received.flatMap(({ spans }) => spans.map(({ name }) => name))).toEqual(['nightly']);
  });
});

describe('settings', () => {
  it('are those of OpenTelemetry, and none means no traces', () => {
    const home = { ICEWRIGHT_HOME: '/nowhere' };
    expect(readConfig(home).traces.endpoint).toBeUndefined();
    const { traces } = readConfig({
      ...home,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t,x=1',
      OTEL_SERVICE_NAME: 'lake',
    });
    expect(traces).toEqual({
      endpoint: 'http://127.0.0.1:4318',
      headers: { authorization: 'Bearer t', x: '1' },
      serviceName: 'lake',
    });
  });
});
