import type { DeleteObjectsCommandOutput } from '@aws-sdk/client-s3';
import { storageError } from './errors.ts';
import { findLock } from './locks.ts';
import { createRequests, type ObjectStoreOptions, type Requests } from './requests.ts';
import { formatObjectUri, parseObjectUri } from './uri.ts';
import {
  type ByteRange,
  headVersion,
  listVersions,
  type ObjectVersion,
  readRange,
} from './versions.ts';

export interface ObjectInfo {
  readonly uri: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number | null;
  readonly etag: string | null;
}

/** An object to delete: as a whole, or exactly one version of it. */
export interface DeleteTarget {
  readonly uri: string;
  readonly versionId?: string | undefined;
}

export interface DeleteFailure extends DeleteTarget {
  readonly reason: string;
}

/**
 * Objects by `s3://` address (`s3a`, `s3n` as well). Rejects with `StorageUnavailable`,
 * `CredentialsRejected`, or `InvariantBroken` for an object or bucket that is not there.
 */
export interface ObjectStore {
  /** The whole object. Rejects with `SafetyRefused` when it is larger than `maxBytes`. */
  get(uri: string, maxBytes: number): Promise<Buffer>;
  /** The first `bytes` of an object, or all of a smaller one. */
  getStart(uri: string, bytes: number): Promise<Buffer>;
  stream(uri: string): Promise<AsyncIterable<Uint8Array>>;
  /** `null`: there is no such object. */
  head(uri: string): Promise<ObjectInfo | null>;
  /** All objects under a prefix, in key order, page by page. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  listVersions(prefix: string): AsyncIterable<ObjectVersion>;
  /** `null`: not there. A delete marker asked for by its id is. `versionId` `null`: the latest. */
  headVersion(
    uri: string,
    versionId: string | null,
  ): Promise<{ readonly sizeBytes: number } | null>;
  /** A sentence for the first object lock below a prefix; `null`: none is known of. */
  findLock(prefix: string): Promise<string | null>;
  /** Bytes from `start` to before `end`. */
  readRange(uri: string, versionId: string | null, range: ByteRange): Promise<Buffer>;
  /**
   * Deletes exactly these, 1,000 a request. What is already gone counts as deleted.
   * @returns what could not be deleted; empty when all is done
   */
  delete(targets: readonly DeleteTarget[]): Promise<readonly DeleteFailure[]>;
  close(): void;
}

/** The SDK takes at most this many in one request. */
const DELETE_BATCH = 1_000;

/**
 * A client of an S3 store. The SDK (35 MB of memory, 140 ms) is loaded with the first request only:
 * most commands never make one.
 */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const requests = createRequests(options);
  return {
    get: (uri, maxBytes) => getObject(requests, uri, maxBytes),
    getStart: (uri, bytes) => getStart(requests, uri, bytes),
    stream: (uri) => streamObject(requests, uri),
    head: (uri) => headObject(requests, uri),
    list: (prefix) => listObjects(requests, prefix),
    listVersions: (prefix) => listVersions(requests, prefix),
    headVersion: (uri, versionId) => headVersion(requests, uri, versionId),
    findLock: (prefix) => findLock(requests, prefix),
    readRange: (uri, versionId, range) => readRange(requests, uri, versionId, range),
    delete: (targets) => deleteObjects(requests, targets),
    close: () => requests.close(),
  };
}

function getObject(requests: Requests, uri: string, maxBytes: number): Promise<Buffer> {
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    const answer = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
    const size = answer.ContentLength ?? 0;
    if (size > maxBytes) {
      (answer.Body as { destroy?: () => void } | undefined)?.destroy?.();
      throw new ObjectTooLarge(size, maxBytes);
    }
    const bytes = await answer.Body?.transformToByteArray();
    if (bytes === undefined) throw new Error('the answer has no body');
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  });
}

function getStart(requests: Requests, uri: string, bytes: number): Promise<Buffer> {
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    const range = `bytes=0-${bytes - 1}`;
    const request = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, Range: range });
    const answer = await client.send(request);
    const found = await answer.Body?.transformToByteArray();
    return Buffer.from(found ?? []).subarray(0, bytes);
  });
}

function streamObject(requests: Requests, uri: string): Promise<AsyncIterable<Uint8Array>> {
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    const answer = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
    return answer.Body as unknown as AsyncIterable<Uint8Array>;
  });
}

function headObject(requests: Requests, uri: string): Promise<ObjectInfo | null> {
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    try {
      const answer = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
      return {
        uri: formatObjectUri({ bucket, key }),
        sizeBytes: answer.ContentLength ?? 0,
        modifiedAtMs: answer.LastModified?.getTime() ?? null,
        etag: answer.ETag ?? null,
      };
    } catch (cause) {
      if (cause instanceof sdk.NotFound) return null;
      throw cause;
    }
  });
}

async function* listObjects(requests: Requests, prefix: string): AsyncGenerator<ObjectInfo> {
  const { bucket, key } = parseObjectUri(prefix);
  let token: string | undefined;
  do {
    const page = await requests.attempt(prefix, ({ sdk, client }) =>
      client.send(
        new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, ContinuationToken: token }),
      ),
    );
    for (const found of page.Contents ?? []) {
      yield {
        uri: formatObjectUri({ bucket, key: found.Key as string }),
        sizeBytes: found.Size ?? 0,
        modifiedAtMs: found.LastModified?.getTime() ?? null,
        etag: found.ETag ?? null,
      };
    }
    token = page.NextContinuationToken;
    // A list that ends too early would make what is there look gone.
    if (page.IsTruncated === true && token === undefined) {
      throw storageError(new Error('the list was cut off'), prefix, requests.where);
    }
  } while (token !== undefined);
}

async function deleteObjects(
  requests: Requests,
  targets: readonly DeleteTarget[],
): Promise<readonly DeleteFailure[]> {
  const failures: DeleteFailure[] = [];
  for (const [bucket, group] of groupByBucket(targets)) {
    for (let start = 0; start < group.length; start += DELETE_BATCH) {
      const batch = group.slice(start, start + DELETE_BATCH);
      const objects = batch.map((target) => ({
        Key: parseObjectUri(target.uri).key,
        ...(target.versionId === undefined ? {} : { VersionId: target.versionId }),
      }));
      const answer = await requests.attempt(`s3://${bucket}/`, ({ sdk, client }) =>
        client.send(
          new sdk.DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Objects: objects, Quiet: true },
          }),
        ),
      );
      failures.push(...failuresOf(bucket, answer));
    }
  }
  return failures;
}

function failuresOf(bucket: string, answer: DeleteObjectsCommandOutput): DeleteFailure[] {
  return (answer.Errors ?? []).map((error) => ({
    uri: formatObjectUri({ bucket, key: error.Key ?? '' }),
    versionId: error.VersionId,
    reason: `${error.Code ?? 'Unknown'}: ${error.Message ?? ''}`,
  }));
}

function groupByBucket(targets: readonly DeleteTarget[]): Map<string, DeleteTarget[]> {
  return Map.groupBy(targets, (target) => parseObjectUri(target.uri).bucket);
}

/** A guard of memory, not a failure of the store. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
  constructor(sizeBytes: number, maxBytes: number) {
    super(`it has ${sizeBytes} bytes, more than the ${maxBytes} that are read at once`);
  }
}
