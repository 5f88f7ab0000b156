import { IcewrightError } from '../domain/errors.ts';
import { OAUTH_TOKEN } from './metadata.schema.ts';

/** How the client shows who it is. Neither `token` nor `credential`: it does not. */
export interface RestCredentials {
  /** A bearer token as it is. */
  readonly token?: string | undefined;
  /** `id:secret` for OAuth2's client credentials; wins over `token`. */
  readonly credential?: string | undefined;
  /** Default: `<catalog url>/v1/oauth/tokens`. */
  readonly oauth2Url?: string | undefined;
  /** Default `catalog`, as Iceberg's own client has it. */
  readonly scope?: string | undefined;
}

export interface Authorizer {
  /** The `Authorization` value, or `null`. Asks for a token when there is none that still lasts. */
  header(): Promise<string | null>;
  /** Forgets the token after a 401. @returns whether asking again may help */
  renew(): boolean;
}

/** A token is renewed this share of its life before it ends, at least half a minute. */
const EARLY_SHARE = 0.1;
const EARLY_MS = 30_000;

/** @param timeoutMs patience with the token server */
export function createAuthorizer(
  credentials: RestCredentials,
  catalogUrl: string,
  timeoutMs: number,
): Authorizer {
  const { credential, token } = credentials;
  if (credential === undefined) {
    const fixed = token === undefined ? null : `Bearer ${token}`;
    return { header: async () => fixed, renew: () => false };
  }
  const url = credentials.oauth2Url ?? `${catalogUrl}/v1/oauth/tokens`;
  let held: Promise<Held> | null = null;
  let renewAt = 0;
  return {
    header: async () => {
      if (held === null || performance.now() >= renewAt) {
        renewAt = Number.POSITIVE_INFINITY;
        held = requestToken(url, credential, credentials.scope ?? 'catalog', timeoutMs);
      }
      try {
        const { value, lifeMs } = await held;
        const early = Math.max(lifeMs * EARLY_SHARE, Math.min(EARLY_MS, lifeMs / 2));
        if (renewAt === Number.POSITIVE_INFINITY) renewAt = performance.now() + lifeMs - early;
        return `Bearer ${value}`;
      } catch (cause) {
        held = null;
        throw cause;
      }
    },
    renew: () => {
      held = null;
      return true;
    },
  };
}

interface Held {
  readonly value: string;
  readonly lifeMs: number;
}

async function requestToken(
  url: string,
  credential: string,
  scope: string,
  timeoutMs: number,
): Promise<Held> {
  const colon = credential.indexOf(':');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: credential.slice(0, Math.max(colon, 0)),
    client_secret: credential.slice(colon + 1),
    scope,
  });
  let response: Response;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    response = await fetch(url, { method: 'POST', body: form, signal });
  } catch (cause) {
    const message = `the token server ${url} cannot be reached: ${String(cause)}`;
    throw new IcewrightError('CatalogUnavailable', message, { url }, cause);
  }
  if (response.status >= 500) {
    await response.body?.cancel();
    const message = `the token server ${url} answered HTTP ${response.status}`;
    throw new IcewrightError('CatalogUnavailable', message, { url, status: response.status });
  }
  const parsed = OAUTH_TOKEN.safeParse(await response.json().catch(() => null));
  if (!response.ok || !parsed.success) {
    const message =
      `the token server ${url} gave no token (HTTP ${response.status}); ` +
      'check the credential "id:secret" and the scope';
    throw new IcewrightError('CredentialsRejected', message, { url, status: response.status });
  }
  return { value: parsed.data.access_token, lifeMs: parsed.data.expires_in * 1_000 };
}
