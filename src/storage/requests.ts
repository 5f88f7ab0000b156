/** Requests to an S3 store: the SDK behind them, and its errors made ours. */
import type { S3Client } from '@aws-sdk/client-s3';
import { storageError } from './errors.ts';
import { type ObjectUri, parseObjectUri } from './uri.ts';

export interface ObjectStoreOptions {
  /** Address of an S3-compatible store; default: AWS itself. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Without keys the SDK's default chain is used: environment, profile, instance role. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  /** `http://host/bucket/key` instead of `http://bucket.host/key`. */
  readonly pathStyle?: boolean | undefined;
  /** One request's patience. Default 60,000 ms. */
  readonly requestTimeoutMs?: number;
}

type Sdk = typeof import('@aws-sdk/client-s3');
interface Session {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** One client, opened by its first request. */
export interface Requests {
  readonly where: string;
  /** Runs a request; what it fails with becomes ours. */
  attempt<T>(uri: string, action: (session: Session, place: ObjectUri) => Promise<T>): Promise<T>;
  close(): void;
}

export function createRequests(options: ObjectStoreOptions): Requests {
  const where = options.endpoint ?? `AWS ${options.region}`;
  let opened: Promise<Session> | null = null;
  return {
    where,
    attempt: async (uri, action) => {
      const place = parseObjectUri(uri);
      try {
        opened ??= openSession(options);
        return await action(await opened, place);
      } catch (cause) {
        throw storageError(cause, uri, where);
      }
    },
    close: () => {
      void opened?.then((session) => session.client.destroy());
    },
  };
}

async function openSession(options: ObjectStoreOptions): Promise<Session> {
  const sdk = await import('@aws-sdk/client-s3');
  const { accessKeyId, secretAccessKey, sessionToken } = options;
  const client = new sdk.S3Client({
    region: options.region,
    forcePathStyle: options.pathStyle ?? false,
    // Older stores do not know the newer default checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: options.requestTimeoutMs ?? 60_000,
    },
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }),
  });
  return { sdk, client };
}
