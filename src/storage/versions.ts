/** Versions of objects: which there are, whether one is there, and parts of it. */
import { storageError } from './errors.ts';
import type { Requests } from './requests.ts';
import { formatObjectUri, parseObjectUri } from './uri.ts';

/** One version of an object, or a delete marker (which has no size). */
export interface ObjectVersion {
  readonly uri: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number | null;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What S3 answers for a delete marker that is asked for by its version id. */
const METHOD_NOT_ALLOWED = 405;
const NOT_FOUND = 404;

/** Every version and delete marker below a prefix, page by page. */
export async function* listVersions(
  requests: Requests,
  prefix: string,
): AsyncGenerator<ObjectVersion> {
  const { bucket, key } = parseObjectUri(prefix);
  let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | null = {};
  while (from !== null) {
    const marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = from;
    const page = await requests.attempt(prefix, ({ sdk, client }) =>
      client.send(new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...marker })),
    );
    for (const found of page.Versions ?? []) yield versionOf(bucket, found, found.Size ?? 0);
    for (const found of page.DeleteMarkers ?? []) yield versionOf(bucket, found, null);
    if (page.IsTruncated === true && page.NextKeyMarker === undefined) {
      throw storageError(new Error('the list was cut off'), prefix, requests.where);
    }
    from =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : null;
  }
}

interface FoundVersion {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
  readonly LastModified?: Date | undefined;
}

function versionOf(bucket: string, found: FoundVersion, size: number | null): ObjectVersion {
  return {
    uri: formatObjectUri({ bucket, key: found.Key as string }),
    versionId: found.VersionId ?? 'null',
    isLatest: found.IsLatest ?? false,
    isDeleteMarker: size === null,
    sizeBytes: size ?? 0,
    modifiedAtMs: found.LastModified?.getTime() ?? null,
  };
}

export function headVersion(
  requests: Requests,
  uri: string,
  versionId: string | null,
): Promise<{ readonly sizeBytes: number } | null> {
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    try {
      const input = { Bucket: bucket, Key: key, ...versionParam(versionId) };
      const answer = await client.send(new sdk.HeadObjectCommand(input));
      return { sizeBytes: answer.ContentLength ?? 0 };
    } catch (cause) {
      const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata
        ?.httpStatusCode;
      if (status === NOT_FOUND) return null;
      if (status === METHOD_NOT_ALLOWED && versionId !== null) return { sizeBytes: 0 };
      throw cause;
    }
  });
}

export function readRange(
  requests: Requests,
  uri: string,
  versionId: string | null,
  { start, end }: ByteRange,
): Promise<Buffer> {
  if (end <= start) return Promise.resolve(Buffer.alloc(0));
  return requests.attempt(uri, async ({ sdk, client }, { bucket, key }) => {
    const range = { Range: `bytes=${start}-${end - 1}`, ...versionParam(versionId) };
    const answer = await client.send(
      new sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
    );
    const bytes = await answer.Body?.transformToByteArray();
    if (bytes === undefined) throw new Error('the answer has no body');
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  });
}

function versionParam(versionId: string | null): { readonly VersionId?: string } {
  return versionId === null ? {} : { VersionId: versionId };
}
