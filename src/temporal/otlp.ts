/**
 * Sends spans to an OpenTelemetry collector: OTLP over HTTP in its JSON form, which every collector
 * takes on port 4318. Spans wait in memory, bounded; whoever makes them waits for nothing.
 */
import { log } from '../log.ts';

export type SpanValue = string | number | boolean;

export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits; the same span sent twice is one. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Never personal data, never secrets. */
  readonly attributes: Readonly<Record<string, SpanValue | null>>;
  /** The error's code; `null`: it went well. */
  readonly error: string | null;
}

export interface OtlpOptions {
  /** `http://collector:4318`; `/v1/traces` is added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
}

export interface SpanExporter {
  add(span: Span): void;
  /** Sends what waits, for a few seconds at most. */
  close(): Promise<void>;
}

const EVERY_MS = 2_000;
const TIMEOUT_MS = 5_000;
/** What comes while the collector is away and does not fit is left out. */
const WAITING_MAX = 2_000;

export function createOtlpExporter(options: OtlpOptions): SpanExporter {
  let waiting: Span[] = [];
  let sending: Promise<void> | null = null;
  let away = false;
  const send = async () => {
    const spans = waiting;
    waiting = [];
    const problem = await post(options, spans);
    if (problem !== null) {
      waiting = [...spans, ...waiting].slice(-WAITING_MAX);
      if (!away) log.warn('traces are not taken', { endpoint: options.endpoint, problem });
    }
    away = problem !== null;
  };
  const flush = async () => {
    if (waiting.length === 0) return;
    sending ??= send().finally(() => {
      sending = null;
    });
    await sending;
  };
  const timer = setInterval(flush, EVERY_MS);
  timer.unref();
  return {
    add: (span) => {
      waiting.push(span);
      if (waiting.length > WAITING_MAX) waiting.shift();
    },
    close: async () => {
      clearInterval(timer);
      // What is under way, and what came meanwhile.
      await flush();
      await flush();
    },
  };
}

/** Resolves to what is wrong, `null`: it was taken. */
async function post(options: OtlpOptions, spans: readonly Span[]): Promise<string | null> {
  try {
    const answer = await fetch(`${options.endpoint.replace(/\/+$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { ...options.headers, 'content-type': 'application/json' },
      body: JSON.stringify(encode(options.serviceName, spans)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.arrayBuffer();
    return answer.ok ? null : `HTTP ${answer.status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function encode(serviceName: string, spans: readonly Span[]) {
  const resource = { attributes: encodeAttributes({ 'service.name': serviceName }) };
  const scopeSpans = [{ scope: { name: 'icewright' }, spans: spans.map(encodeSpan) }];
  return { resourceSpans: [{ resource, scopeSpans }] };
}

const KIND_INTERNAL = 1;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

function encodeSpan({ parentSpanId, startMs, endMs, attributes, error, ...same }: Span) {
  return {
    ...same,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    kind: KIND_INTERNAL,
    startTimeUnixNano: `${startMs}000000`,
    endTimeUnixNano: `${Math.max(startMs, endMs)}000000`,
    attributes: encodeAttributes(attributes),
    status: error === null ? { code: STATUS_OK } : { code: STATUS_ERROR, message: error },
  };
}

function encodeAttributes(attributes: Span['attributes']) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === null ? [] : [{ key, value: encodeValue(value) }],
  );
}

function encodeValue(value: SpanValue) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
