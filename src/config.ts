/**
 * Configuration: `ICEWRIGHT_*` environment variables over the embedded stack's settings file.
 * Whoever points Icewright at a Spark, Trino, catalog or Temporal of their own sets the variables.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { IcewrightError } from './domain/errors.ts';
import { checkInterval } from './domain/health/clock.ts';
import { type HistoryRetention, parseRetention } from './domain/health/history.ts';
import { parseDuration } from './domain/units.ts';

export const PROJECT_DIR = resolve(import.meta.dirname, '..');

/** Of the worker: a small young generation saves memory, and costs nothing where engines work. */
export const WORKER_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2'];

const address = z.string().regex(/^[^\s/:]+:\d{1,5}$/, 'must look like host:port');
const optional = z.string().min(1).optional();
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const key = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 32 bytes in hex')
  .optional();
const count = z.coerce.number().int().min(1).max(1000);

/** Text that a function of the domain reads; what it throws becomes the variable's fault. */
function readBy<T>(read: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

function readInterval(text: string): number {
  const intervalMs = parseDuration(text);
  checkInterval(intervalMs);
  return intervalMs;
}

const ENVIRONMENT = z.object({
  ICEWRIGHT_TEMPORAL_ADDRESS: address.default('127.0.0.1:7233'),
  ICEWRIGHT_TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  ICEWRIGHT_TEMPORAL_TLS: flag.default(false),
  ICEWRIGHT_TEMPORAL_API_KEY: optional,
  ICEWRIGHT_TEMPORAL_UI_URL: z.url().default('http://127.0.0.1:8233'),
  ICEWRIGHT_SPARK_URL: z.string().startsWith('sc://').default('sc://127.0.0.1:15002'),
  ICEWRIGHT_SPARK_CONCURRENCY: count.default(2),
  ICEWRIGHT_TRINO_URL: z.url().default('http://127.0.0.1:8080'),
  ICEWRIGHT_TRINO_USER: z.string().min(1).default('icewright'),
  ICEWRIGHT_TRINO_PASSWORD: optional,
  ICEWRIGHT_TRINO_TOKEN: optional,
  ICEWRIGHT_TRINO_CONCURRENCY: count.default(4),
  ICEWRIGHT_CATALOG_NAME: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/)
    .default('lake'),
  ICEWRIGHT_CATALOG_URL: z.url().default('http://127.0.0.1:8181'),
  ICEWRIGHT_CATALOG_WAREHOUSE: optional,
  ICEWRIGHT_CATALOG_TOKEN: optional,
  ICEWRIGHT_CATALOG_CREDENTIAL: optional,
  ICEWRIGHT_CATALOG_OAUTH2_URL: optional,
  ICEWRIGHT_CATALOG_SCOPE: optional,
  ICEWRIGHT_S3_ENDPOINT: z.url().optional(),
  ICEWRIGHT_S3_REGION: z.string().min(1).default('us-east-1'),
  ICEWRIGHT_S3_ACCESS_KEY_ID: optional,
  ICEWRIGHT_S3_SECRET_ACCESS_KEY: optional,
  ICEWRIGHT_S3_PATH_STYLE: flag.default(true),
  ICEWRIGHT_LEDGER_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address')
    .default('postgres://127.0.0.1:5433/icewright'),
  ICEWRIGHT_HTTP_ADDRESS: address.default('127.0.0.1:9464'),
  ICEWRIGHT_METRICS_TABLES: z.coerce.number().int().min(1).max(100_000).default(200),
  ICEWRIGHT_HEALTH_INTERVAL: readBy(readInterval).prefault('5m'),
  ICEWRIGHT_HEALTH_RETENTION: readBy(parseRetention).prefault('2d,30d,730d'),
  ICEWRIGHT_PSEUDONYM_KEY: key,
  ICEWRIGHT_ERASURE_KEYS: optional,
  ICEWRIGHT_ERASURE_KEYS_FILE: optional,
  ICEWRIGHT_SIGNING_KEY_FILE: optional,
  ICEWRIGHT_SUBJECT_HASH_KEY: key,
  ICEWRIGHT_ERASURE_TRUST_BY: flag.default(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: optional,
  OTEL_SERVICE_NAME: z.string().min(1).default('icewright'),
  ICEWRIGHT_DEPLOYMENT: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('icewright'),
  ICEWRIGHT_POLICIES: z.string().default(join(PROJECT_DIR, 'policies')),
  ICEWRIGHT_MODELS: z.string().default(join(PROJECT_DIR, 'models')),
});

export interface Config {
  readonly home: string;
  readonly deployment: string;
  readonly policiesDir: string;
  readonly modelsDir: string;
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly tls: boolean;
    readonly apiKey: string | undefined;
    readonly uiUrl: string;
    /** What payloads are encrypted with; neither set: they are not. */
    readonly payloadKeys: EncryptionKeys;
  };
  readonly spark: { readonly url: string; readonly concurrency: number };
  readonly trino: {
    readonly url: string;
    readonly user: string;
    readonly password: string | undefined;
    readonly token: string | undefined;
    readonly concurrency: number;
  };
  readonly catalog: {
    readonly name: string;
    readonly url: string;
    readonly warehouse: string | undefined;
    readonly token: string | undefined;
    readonly credential: string | undefined;
    readonly oauth2Url: string | undefined;
    readonly scope: string | undefined;
  };
  readonly storage: {
    readonly endpoint: string | undefined;
    readonly region: string;
    readonly accessKeyId: string | undefined;
    readonly secretAccessKey: string | undefined;
    readonly pathStyle: boolean;
  };
  readonly ledgerUrl: string;
  /** `endpoint` undefined: no traces. */
  readonly traces: {
    readonly endpoint: string | undefined;
    readonly headers: Readonly<Record<string, string>>;
    readonly serviceName: string;
  };
  /** Sources outside the lake, by name: `ICEWRIGHT_SOURCE_<NAME>_URL`. */
  readonly sources: Readonly<Record<string, string>>;
  readonly httpAddress: string;
  /** Tables of each catalog that have gauges of their own; the worst ones. */
  readonly metricsTables: number;
  readonly health: { readonly intervalMs: number; readonly retention: HistoryRetention };
  /** 32 bytes in hex; models with a keyed hash refuse to run without it. */
  readonly pseudonymKey: string | undefined;
  /** Without them erasure refuses to run. */
  readonly erasure: EncryptionKeys & {
    /** PEM, Ed25519; further blocks are public keys that are believed. */
    readonly signingKeyFile: string | undefined;
    /** 32 bytes in hex. */
    readonly subjectHashKey: string | undefined;
    readonly trustBy: boolean;
  };
}

/** `id:hex,id:hex`, 32 bytes each: the first one encrypts, all decrypt. */
export interface EncryptionKeys {
  readonly keys: string | undefined;
  /** A file of the same; its keys come after those of `keys`. */
  readonly keysFile: string | undefined;
}

/** Where the embedded stack keeps its data and settings; `ICEWRIGHT_HOME` moves it. */
export function homeDir(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(environment.ICEWRIGHT_HOME ?? join(PROJECT_DIR, '.icewright'));
}

/**
 * Reads the configuration once, at the start of a process.
 * Rejects with `ConfigInvalid`, which lists every faulty variable.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const home = homeDir(environment);
  const env = readEnvironment(home, environment);
  const encryption = {
    keys: env.ICEWRIGHT_ERASURE_KEYS,
    keysFile: env.ICEWRIGHT_ERASURE_KEYS_FILE,
  };
  return {
    home,
    deployment: env.ICEWRIGHT_DEPLOYMENT,
    policiesDir: env.ICEWRIGHT_POLICIES,
    modelsDir: env.ICEWRIGHT_MODELS,
    temporal: {
      address: env.ICEWRIGHT_TEMPORAL_ADDRESS,
      namespace: env.ICEWRIGHT_TEMPORAL_NAMESPACE,
      tls: env.ICEWRIGHT_TEMPORAL_TLS,
      apiKey: env.ICEWRIGHT_TEMPORAL_API_KEY,
      uiUrl: env.ICEWRIGHT_TEMPORAL_UI_URL,
      payloadKeys: encryption,
    },
    spark: { url: env.ICEWRIGHT_SPARK_URL, concurrency: env.ICEWRIGHT_SPARK_CONCURRENCY },
    trino: {
      url: env.ICEWRIGHT_TRINO_URL,
      user: env.ICEWRIGHT_TRINO_USER,
      password: env.ICEWRIGHT_TRINO_PASSWORD,
      token: env.ICEWRIGHT_TRINO_TOKEN,
      concurrency: env.ICEWRIGHT_TRINO_CONCURRENCY,
    },
    catalog: {
      name: env.ICEWRIGHT_CATALOG_NAME,
      url: env.ICEWRIGHT_CATALOG_URL,
      warehouse: env.ICEWRIGHT_CATALOG_WAREHOUSE,
      token: env.ICEWRIGHT_CATALOG_TOKEN,
      credential: env.ICEWRIGHT_CATALOG_CREDENTIAL,
      oauth2Url: env.ICEWRIGHT_CATALOG_OAUTH2_URL,
      scope: env.ICEWRIGHT_CATALOG_SCOPE,
    },
    storage: {
      endpoint: env.ICEWRIGHT_S3_ENDPOINT,
      region: env.ICEWRIGHT_S3_REGION,
      accessKeyId: env.ICEWRIGHT_S3_ACCESS_KEY_ID,
      secretAccessKey: env.ICEWRIGHT_S3_SECRET_ACCESS_KEY,
      pathStyle: env.ICEWRIGHT_S3_PATH_STYLE,
    },
    ledgerUrl: env.ICEWRIGHT_LEDGER_URL,
    traces: {
      endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: readPairs(env.OTEL_EXPORTER_OTLP_HEADERS ?? ''),
      serviceName: env.OTEL_SERVICE_NAME,
    },
    sources: readSources({ ...readSettings(home), ...withoutEmpty(environment) }),
    httpAddress: env.ICEWRIGHT_HTTP_ADDRESS,
    metricsTables: env.ICEWRIGHT_METRICS_TABLES,
    health: {
      intervalMs: env.ICEWRIGHT_HEALTH_INTERVAL,
      retention: env.ICEWRIGHT_HEALTH_RETENTION,
    },
    pseudonymKey: env.ICEWRIGHT_PSEUDONYM_KEY,
    erasure: {
      ...encryption,
      signingKeyFile: env.ICEWRIGHT_SIGNING_KEY_FILE,
      subjectHashKey: env.ICEWRIGHT_SUBJECT_HASH_KEY,
      trustBy: env.ICEWRIGHT_ERASURE_TRUST_BY,
    },
  };
}

type Environment = z.infer<typeof ENVIRONMENT>;

function readEnvironment(home: string, environment: NodeJS.ProcessEnv): Environment {
  const parsed = ENVIRONMENT.safeParse({ ...readSettings(home), ...withoutEmpty(environment) });
  if (!parsed.success) {
    const faults = parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`);
    throw new IcewrightError('ConfigInvalid', `bad configuration\n  ${faults.join('\n  ')}`, {
      faults,
    });
  }
  return parsed.data;
}

/** The embedded stack writes this file (mode 600) when it starts; absent without it. */
function readSettings(home: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new IcewrightError(
      'ConfigInvalid',
      `${join(home, 'settings.json')} cannot be read (${(error as Error).message}): ` +
        'remove it and run "icewright stack up" again',
    );
  }
}

/** `ICEWRIGHT_SOURCE_SHOP_DB_URL` is the address of source `shop-db`. */
function readSources(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const found = Object.entries(environment).flatMap(([variable, value]) => {
    const name = /^ICEWRIGHT_SOURCE_([A-Z][A-Z0-9_]*)_URL$/.exec(variable)?.[1];
    if (name === undefined || value === undefined) return [];
    return [[name.toLowerCase().replaceAll('_', '-'), value] as const];
  });
  return Object.fromEntries(found);
}

/** `name=value,name=value`, values percent-encoded, as OpenTelemetry writes them. */
function readPairs(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [name = '', ...value] = pair.split('=');
    return name.trim() === '' ? [] : [[name.trim(), decodeURIComponent(value.join('=').trim())]];
  });
  return Object.fromEntries(pairs);
}

/** A variable set to nothing counts as not set. */
function withoutEmpty(environment: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => /^(ICEWRIGHT|OTEL)_/.test(entry[0]) && !!entry[1],
  );
  return Object.fromEntries(entries);
}
