/**
 * The outside oracle of an erasure, for tests only: fetches every version of every object below a
 * prefix with the S3 client itself, and has Python decode them. Shares no code with `src/verify`,
 * nor with `src/storage`.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { readConfig } from '../../src/config.ts';
import { openScan } from '../peers/python.ts';

export interface Sought {
  /** Label → text: looked for everywhere. */
  readonly texts: Readonly<Record<string, string>>;
  /** Label → key: looked for in {@link Sought.columns}, and in JSON fields of that name. */
  readonly numbers: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
}

export interface Scanned {
  /** Versions and delete markers. */
  readonly versions: number;
  /** Pairs of a version and a sought value that is in it: the figure to report. */
  readonly traces: number;
  /** Pairs by where: `rows`, `bounds`, `statistics`, `bytes`, `name`, … */
  readonly byPlace: Readonly<Record<string, number>>;
  /** `key versionId: label in place`, sorted; for messages of tests. */
  readonly where: readonly string[];
}

interface Version {
  readonly key: string;
  readonly versionId: string;
  readonly isMarker: boolean;
}

export function openS3(): S3Client {
  const {
    endpoint,
    region,
    accessKeyId = '',
    secretAccessKey = '',
    pathStyle,
  } = readConfig().storage;
  return new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
  });
}

/** Versions that are fetched at a time. */
const AT_ONCE = 16;

/** @param prefix default: the whole bucket */
export async function scanBucket(bucket: string, sought: Sought, prefix = ''): Promise<Scanned> {
  const client = openS3();
  const folder = await mkdtemp(join(tmpdir(), 'icewright-scan-'));
  try {
    const versions = await listAll(client, bucket, prefix);
    const fetch = async ({ key, versionId, isMarker }: Version, index: number) => {
      if (isMarker) return [null, key];
      const path = join(folder, String(index));
      const answer = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
      );
      await pipeline(answer.Body as Readable, createWriteStream(path));
      return [path, key];
    };
    const files: unknown[] = [];
    for (let at = 0; at < versions.length; at += AT_ONCE) {
      const some = versions.slice(at, at + AT_ONCE);
      files.push(...(await Promise.all(some.map((one, index) => fetch(one, at + index)))));
    }
    const scan = await openScan();
    const found = (await scan({ files, ...sought })) as readonly [number, string, string][];
    return summarise(versions, found);
  } finally {
    client.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

async function listAll(client: S3Client, bucket: string, prefix: string): Promise<Version[]> {
  const found: Version[] = [];
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | null = {};
  while (marker !== null) {
    const from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = marker;
    const page = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...from }),
    );
    for (const [list, isMarker] of [
      [page.Versions ?? [], false],
      [page.DeleteMarkers ?? [], true],
    ] as const) {
      for (const { Key = '', VersionId = 'null' } of list) {
        found.push({ key: Key, versionId: VersionId, isMarker });
      }
    }
    const { NextKeyMarker, NextVersionIdMarker } = page;
    marker =
      page.IsTruncated === true
        ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker }
        : null;
  }
  return found;
}

function summarise(
  versions: readonly Version[],
  found: readonly (readonly [number, string, string])[],
): Scanned {
  const byPlace: Record<string, number> = {};
  for (const [, , place] of found) byPlace[place] = (byPlace[place] ?? 0) + 1;
  const nameOf = (index: number) => `${versions[index]?.key} ${versions[index]?.versionId}`;
  return {
    versions: versions.length,
    traces: new Set(found.map(([index, label]) => `${index} ${label}`)).size,
    byPlace,
    where: found.map(([index, label, place]) => `${nameOf(index)}: ${label} in ${place}`).sort(),
  };
}
