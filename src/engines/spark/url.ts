import { IcewrightError } from '../../domain/errors.ts';

/** Where Spark Connect listens and how to present oneself there. */
export interface SparkTarget {
  readonly host: string;
  readonly port: number;
  /** Sent as `authorization: Bearer …` with every call; `null`: none. */
  readonly token: string | null;
  readonly useSsl: boolean;
  /** Part of Spark's session key: all workers of one deployment must use the same. */
  readonly userId: string;
}

/** Spark Connect's own default port. */
const DEFAULT_PORT = 15002;
const PARAMETERS = ['token', 'use_ssl', 'user_id'];
/** What the error says; it never repeats the URL, which may hold a token. */
const FORM = 'expected sc://host:port/;token=…;use_ssl=true;user_id=…';

/**
 * Reads a Spark Connect URL. The port defaults to 15002, `user_id` to `icewright`, `use_ssl` to
 * false. Throws `ConfigInvalid` naming the part that is wrong (never its value: it may be secret).
 */
export function parseSparkUrl(text: string): SparkTarget {
  const found = /^sc:\/\/(\[[0-9a-fA-F:.]+\]|[^/:;[\]\s]+)(?::([^/;]*))?(?:\/(.*))?$/.exec(
    text.trim(),
  );
  if (found === null) throw invalid('the address is not a Spark Connect URL');
  const parameters = parseParameters(found[3] ?? '');
  return {
    host: (found[1] as string).replace(/^\[|\]$/g, ''),
    port: parsePort(found[2]),
    token: parameters.get('token') ?? null,
    useSsl: parseFlag(parameters.get('use_ssl')),
    userId: parameters.get('user_id') ?? 'icewright',
  };
}

/** `host:port`, with brackets around an IPv6 address: what gRPC dials and messages name. */
export function sparkAddress(target: SparkTarget): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${host}:${target.port}`;
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid(`the port "${text}" is not a number from 1 to 65535`);
  return port;
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  if (text === '') return parameters;
  if (!text.startsWith(';')) throw invalid('after the address only ";name=value" may follow');
  for (const pair of text.split(';').filter((part) => part !== '')) {
    const split = pair.indexOf('=');
    const name = split < 0 ? pair : pair.slice(0, split);
    if (!PARAMETERS.includes(name)) {
      throw invalid(`the parameter "${name}" is not one of ${PARAMETERS.join(', ')}`);
    }
    if (split < 0 || pair.length === split + 1)
      throw invalid(`the parameter "${name}" has no value`);
    if (parameters.has(name)) throw invalid(`the parameter "${name}" stands twice`);
    parameters.set(name, decode(name, pair.slice(split + 1)));
  }
  return parameters;
}

function decode(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw invalid(`the value of "${name}" is not percent-encoded correctly`);
  }
}

function parseFlag(text: string | undefined): boolean {
  if (text === undefined) return false;
  if (text !== 'true' && text !== 'false') throw invalid('"use_ssl" must be true or false');
  return text === 'true';
}

function invalid(problem: string): IcewrightError {
  return new IcewrightError('ConfigInvalid', `Spark Connect URL: ${problem}; ${FORM}`);
}
