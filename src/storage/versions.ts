/** Single versions of objects: whether one is there, and parts of it. */
import { attempt, type Context } from './object-store.ts';

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What S3 answers for a delete marker that is asked for by its version id. */
const METHOD_NOT_ALLOWED = 405;
const NOT_FOUND = 404;

export function headVersion(
  context: Context,
  uri: string,
  versionId: string | null,
): Promise<{ readonly sizeBytes: number } | null> {
  return attempt(context, uri, async ({ sdk, client }, { bucket, key }) => {
    try {
      const input = { Bucket: bucket, Key: key, ...versionOf(versionId) };
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
  context: Context,
  uri: string,
  versionId: string | null,
  { start, end }: ByteRange,
): Promise<Buffer> {
  if (end <= start) return Promise.resolve(Buffer.alloc(0));
  return attempt(context, uri, async ({ sdk, client }, { bucket, key }) => {
    const range = { Range: `bytes=${start}-${end - 1}`, ...versionOf(versionId) };
    const answer = await client.send(
      new sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
    );
    const bytes = await answer.Body?.transformToByteArray();
    if (bytes === undefined) throw new Error('the answer has no body');
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  });
}

function versionOf(versionId: string | null): { readonly VersionId?: string } {
  return versionId === null ? {} : { VersionId: versionId };
}
