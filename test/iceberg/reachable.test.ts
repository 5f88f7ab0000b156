import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IcewrightError } from '../../src/domain/errors.ts';
import { METADATA } from '../../src/iceberg/metadata.schema.ts';
import { readMetadata } from '../../src/iceberg/metadata.ts';
import { visitReachable } from '../../src/iceberg/reachable.ts';
import { encodeManifest, encodeManifestList, type FileSpec } from './manifest-fixture.ts';

const BASE = 's3://lake/a/t';

class Objects {
  readonly map = new Map<string, Buffer>();
  readonly reads: string[] = [];
  read = async (uri: string): Promise<Buffer> => {
    this.reads.push(uri);
    const found = this.map.get(uri);
    if (found === undefined) throw new IcewrightError('InvariantBroken', `${uri} is not there`);
    return found;
  };
  async manifest(name: string, files: readonly FileSpec[]): Promise<string> {
    const uri = `${BASE}/metadata/${name}.avro`;
    this.map.set(uri, await encodeManifest({ files, version: 3 }));
    return uri;
  }
  async list(name: string, manifests: readonly string[], keyMetadata?: Buffer): Promise<string> {
    const uri = `${BASE}/metadata/snap-${name}.avro`;
    const listed = manifests.map((one) => ({
      uri: one,
      ...(keyMetadata === undefined ? {} : { keyMetadata }),
    }));
    this.map.set(uri, await encodeManifestList(listed));
    return uri;
  }
}

function metadataOf(lists: readonly string[], more: Readonly<Record<string, unknown>> = {}) {
  const snapshots = lists.map((list, at) => ({
    'snapshot-id': at + 1,
    'timestamp-ms': at,
    'manifest-list': list,
    summary: { operation: 'append' },
  }));
  return readMetadata(
    METADATA.parse({
      'format-version': 3,
      'table-uuid': 'u',
      location: BASE,
      'last-updated-ms': 1,
      'current-snapshot-id': lists.length,
      snapshots,
      ...more,
    }),
  );
}

async function reached(objects: Objects, metadata: ReturnType<typeof metadataOf>) {
  const found = new Map<string, string>();
  const metadataLocation = `${BASE}/metadata/9.metadata.json`;
  const input = { metadata, metadataLocation, readObject: objects.read };
  await visitReachable(input, (kind, uri) => found.set(uri, kind));
  return found;
}

describe('what a table reaches', () => {
  test('is every kind of file, of every snapshot, each manifest read once', async () => {
    const objects = new Objects();
    const old = await objects.manifest('old', [{ path: `${BASE}/data/old.parquet` }]);
    const now = await objects.manifest('now', [
      { path: `${BASE}/data/new.parquet` },
      { path: `${BASE}/data/kept.parquet`, status: 0 },
      { path: `${BASE}/data/dropped.parquet`, status: 2 },
    ]);
    const deletes = await objects.manifest('deletes', [
      { path: `${BASE}/data/p.parquet`, content: 1 },
      { path: `${BASE}/data/e.parquet`, content: 2 },
      { path: `${BASE}/data/v.puffin`, content: 1, format: 'PUFFIN' },
    ]);
    const lists = [await objects.list('1', [old]), await objects.list('2', [old, now, deletes])];
    const metadata = metadataOf(lists, {
      'metadata-log': [{ 'timestamp-ms': 1, 'metadata-file': `${BASE}/metadata/8.metadata.json` }],
      statistics: [{ 'snapshot-id': 1, 'statistics-path': `${BASE}/metadata/s.stats` }],
      'partition-statistics': [{ 'statistics-path': `${BASE}/metadata/ps.parquet` }],
    });
    const found = await reached(objects, metadata);
    const names = [...found].map(([uri, kind]) => `${kind} ${uri.split('/').at(-1)}`);
    expect(names.sort()).toEqual([
      'data kept.parquet',
      'data new.parquet',
      'data old.parquet',
      'deletion_vector v.puffin',
      'equality_deletes e.parquet',
      'manifest deletes.avro',
      'manifest now.avro',
      'manifest old.avro',
      'manifest_list snap-1.avro',
      'manifest_list snap-2.avro',
      'metadata 9.metadata.json',
      'metadata_log 8.metadata.json',
      'partition_statistics ps.parquet',
      'position_deletes p.parquet',
      'statistics s.stats',
      'version_hint version-hint.text',
    ]);
    expect(objects.reads.filter((uri) => uri === old)).toHaveLength(1);
  });

  test('holds every live entry of any manifests in any snapshots', async () => {
    const file = fc.record({
      status: fc.constantFrom(0, 1, 2),
      content: fc.constantFrom(0, 1, 2),
      path: fc.uuid().map((one) => `${BASE}/data/${one}.parquet`),
    });
    const some = { minLength: 1, maxLength: 4 };
    const table = fc.array(fc.array(fc.array(file, some), some), some);
    await fc.assert(
      fc.asyncProperty(table, async (snapshots) => {
        const objects = new Objects();
        const lists: string[] = [];
        for (const [at, manifests] of snapshots.entries()) {
          const uris: string[] = [];
          for (const [place, files] of manifests.entries()) {
            uris.push(await objects.manifest(`${at}-${place}`, files));
          }
          lists.push(await objects.list(String(at), uris));
        }
        const found = await reached(objects, metadataOf(lists));
        const live = snapshots.flat(2).filter((one) => one.status !== 2);
        for (const { path } of live) expect(found.has(path)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    ['a manifest list that is gone', 'list', /is not there/],
    ['a manifest that is gone', 'manifest', /is not there/],
    ['a manifest that is cut off', 'cut', /damaged/],
    ['an entry of an unknown status', 'status', /entry of status 7/],
    ['a file of unknown content', 'content', /content 5/],
    ['an encrypted manifest list', 'key', /encrypted/],
    ['a table that names keys', 'encrypted', /encrypted/],
  ])('%s is an error, never a gap', async (_what, fault, message) => {
    const objects = new Objects();
    const odd = fault === 'status' ? { status: 7 } : fault === 'content' ? { content: 5 } : {};
    const manifest = await objects.manifest('m', [{ path: `${BASE}/data/x.parquet`, ...odd }]);
    const key = fault === 'key' ? Buffer.from('k') : undefined;
    const list = await objects.list('1', [manifest], key);
    if (fault === 'list') objects.map.delete(list);
    if (fault === 'manifest') objects.map.delete(manifest);
    const whole = objects.map.get(manifest) as Buffer;
    if (fault === 'cut') objects.map.set(manifest, whole.subarray(0, -20));
    const more = fault === 'encrypted' ? { properties: { 'encryption.key-id': 'k' } } : {};
    await expect(reached(objects, metadataOf([list], more))).rejects.toThrow(message);
  });
});
