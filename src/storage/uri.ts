import { IcewrightError } from '../domain/errors.ts';

/** An object's or a prefix's place. */
export interface ObjectUri {
  readonly bucket: string;
  /** Without a leading slash; may be empty. */
  readonly key: string;
}

/** `s3a` and `s3n` are older names of the same thing: Hadoop's clients still write them. */
const S3_URI = /^s3[an]?:\/\/([^/]+)(?:\/(.*))?$/s;

/**
 * Reads `s3://bucket/key`, also with the schemes `s3a` and `s3n`.
 * @throws IcewrightError `UsageInvalid` for anything else
 */
export function parseObjectUri(uri: string): ObjectUri {
  const found = S3_URI.exec(uri);
  if (found === null) {
    throw new IcewrightError('UsageInvalid', `"${uri}" is not an object address: expected s3://…`);
  }
  return { bucket: found[1] as string, key: found[2] ?? '' };
}

/** `s3://bucket/key`, whatever scheme it was read from: two spellings of one object are equal. */
export function formatObjectUri(place: ObjectUri): string {
  return `s3://${place.bucket}/${place.key}`;
}

/** `s3a://b/k` → `s3://b/k`; an address of another scheme comes back as it is. */
export function normalizeObjectUri(uri: string): string {
  return S3_URI.test(uri) ? formatObjectUri(parseObjectUri(uri)) : uri;
}

/** A prefix that ends in `/`, so that `/t` never matches `/t_2`. */
export function asDirectory(uri: string): string {
  const normal = normalizeObjectUri(uri);
  return normal.endsWith('/') ? normal : `${normal}/`;
}
