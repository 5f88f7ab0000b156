import { describe, expect, it } from 'vitest';
import type { IcewrightError } from '../../src/domain/errors.ts';
import { type BoundColumn, digestManifest } from '../../src/iceberg/digest-manifest.ts';
import {
  decodeDigest,
  encodeDigest,
  FILE_KINDS,
  hasColumns,
  type ManifestDigest,
} from '../../src/iceberg/manifest-digest.ts';
import type { PartitionSpec } from '../../src/iceberg/metadata.ts';
import { bound, encodeManifest, type FileSpec, type ManifestSpec } from './manifest-fixture.ts';

const URI = 's3://lake/a/t/metadata/m0.avro';
const DAY: PartitionSpec = {
  specId: 3,
  fields: [
    { name: 'at_day', source: 'at', sourceType: 'timestamptz', transform: 'day' },
    { name: 'who', source: 'who', sourceType: 'string', transform: 'identity' },
  ],
};

async function digest(
  spec: ManifestSpec,
  columns: readonly BoundColumn[] = [],
): Promise<ManifestDigest> {
  const bytes = await encodeManifest(spec);
  const specs = new Map([[3, DAY]]);
  return digestManifest(bytes, URI, 0, { specs, columns }, new Map());
}

async function failure(change: (bytes: Buffer) => Buffer): Promise<IcewrightError> {
  const bytes = change(await encodeManifest({ files: [{}, {}, {}] }));
  try {
    digestManifest(bytes, URI, 0, { specs: new Map(), columns: [] }, new Map());
  } catch (cause) {
    return cause as IcewrightError;
  }
  throw new Error('expected an error');
}

const kinds = (one: ManifestDigest) => [...one.kinds].map((kind) => FILE_KINDS[kind]);

describe('a digest', () => {
  it.each([1, 2, 3] as const)(
    'of a manifest of version %i holds its live files',
    async (version) => {
      const made = await digest({
        version,
        files: [
          { records: 7, bytes: 100 },
          { status: 2, bytes: 999 },
          { status: 0, records: 3_000_000_000, bytes: 5_000_000_000 },
        ],
      });
      expect(kinds(made)).toEqual(['data', 'data']);
      expect([...made.records]).toEqual([7, 3_000_000_000]);
      expect([...made.bytes]).toEqual([100, 5_000_000_000]);
      expect(made.partitions).toEqual([[]]);
    },
  );

  it('tells deletes by kind, and gives each deletion vector its part of the file', async () => {
    const vector = { content: 1, format: 'PUFFIN', bytes: 9_000 };
    const files: readonly FileSpec[] = [
      { ...vector, contentBytes: 40 },
      { ...vector, format: 'puffin', contentBytes: 50 },
      { content: 1, bytes: 700 },
      { content: 2, bytes: 800 },
    ];
    const made = await digest({ version: 3, files });
    expect(kinds(made)).toEqual([
      'deletion_vector',
      'deletion_vector',
      'position_deletes',
      'equality_deletes',
    ]);
    expect([...made.bytes]).toEqual([40, 50, 700, 800]);
  });

  it('prints each partition once, by the spec that the manifest names', async () => {
    const partition = (day: number | null, who: string | null) => ({
      at_day: day === null ? null : { int: day },
      who: who === null ? null : { string: who },
    });
    const made = await digest({
      specId: 3,
      partition: { at_day: { type: 'int', logicalType: 'date' }, who: 'string' },
      files: [
        { partition: partition(19782, 'a') },
        { partition: partition(null, null) },
        { partition: partition(19782, 'a') },
        { partition: partition(19782, 'null') },
      ],
    });
    expect(made.specId).toBe(3);
    expect(made.partitions).toEqual([
      ['2024-02-29', 'a'],
      [null, null],
      ['2024-02-29', 'null'],
    ]);
    expect([...made.partitionOf]).toEqual([0, 1, 0, 2]);
  });

  it('holds the bounds of the columns that are asked for, of data files alone', async () => {
    const lower = { 1: bound.long(-5), 2: bound.text('abc'), 7: bound.int(1) };
    const upper = { 1: bound.long(2n ** 40n), 2: bound.text('abd'), 7: bound.int(2) };
    const columns = [
      { fieldId: 1, type: 'long' },
      { fieldId: 2, type: 'string' },
    ];
    const files = [{ lower, upper }, { status: 2 }, {}, { content: 1, lower, upper }];
    const made = await digest({ files }, columns);
    const [number, text] = made.columns;
    expect([...(number?.lower ?? [])]).toEqual([-5, Number.NaN, Number.NaN]);
    expect([...(number?.upper ?? [])]).toEqual([2 ** 40, Number.NaN, Number.NaN]);
    const texts = Buffer.from(text?.upper as Uint8Array);
    expect(texts.length).toBe(3 * 16);
    expect(texts.toString('latin1').replaceAll('\0', '.')).toBe(`abd${'.'.repeat(45)}`);
    expect(hasColumns(made, [2, 1])).toBe(true);
    expect(hasColumns(made, [1, 7])).toBe(false);
  });

  it('reads bounds that were written before their column was widened', async () => {
    const lower = { 1: bound.int(-7) };
    const upper = { 1: bound.int(19_782) };
    const read = async (type: string) => {
      const made = await digest({ files: [{ lower, upper }] }, [{ fieldId: 1, type }]);
      return [made.columns[0]?.lower[0], made.columns[0]?.upper[0]];
    };
    expect(await read('long')).toEqual([-7, 19_782]);
    expect(await read('timestamp')).toEqual([-7 * 86_400e6, 19_782 * 86_400e6]);
    // Big-endian two's complement.
    expect(await read('decimal(9, 2)')).toEqual([-100663297, 1179451392]);
  });

  it('comes back from the ledger as it was', async () => {
    const lower = { 1: bound.long(1), 2: bound.text('a') };
    const made = await digest({ files: [{ lower, upper: lower }, { content: 1 }] }, [
      { fieldId: 1, type: 'long' },
      { fieldId: 2, type: 'string' },
    ]);
    expect(decodeDigest(encodeDigest(made))).toEqual(made);
    expect(decodeDigest(Buffer.from('something else'))).toBeNull();
  });

  it('of a manifest without a live file is empty', async () => {
    const made = await digest({ files: [{ status: 2 }] }, [{ fieldId: 1, type: 'long' }]);
    expect([made.kinds.length, made.partitions.length]).toEqual([0, 0]);
    expect(made.columns[0]?.lower.length).toBe(0);
  });
});

describe('a damaged manifest', () => {
  it('is found out wherever it ends', async () => {
    const whole = await encodeManifest({ files: [{}, {}, {}], codec: 'null' });
    for (let length = 0; length < whole.length; length += 1) {
      const error = await failure(() => whole.subarray(0, length)).catch(() => null);
      // What ends exactly behind the header has no blocks: the list knows its real length.
      if (error === null) continue;
      expect(error.code, `cut at ${length}`).toBe('InvariantBroken');
      expect(error.message).toContain(URI);
    }
  });

  it('never hangs nor fails in another way, whatever byte is changed', async () => {
    const whole = await encodeManifest({ files: [{}, {}, {}], codec: 'null' });
    const context = { specs: new Map(), columns: [{ fieldId: 1, type: 'long' }] };
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = 255 - (changed[at] as number);
      try {
        digestManifest(changed, URI, 0, context, new Map());
      } catch (cause) {
        expect((cause as Error).name, `byte ${at}: ${String(cause)}`).toBe('IcewrightError');
      }
    }
  });

  it('that is encrypted says so', async () => {
    const error = await failure((bytes) => Buffer.concat([Buffer.from('AGS1'), bytes]));
    expect(error).toMatchObject({ code: 'OperationUnsupported', details: { uri: URI } });
    expect(error.message).toContain('encrypted');
  });

  it('that is no manifest says so', async () => {
    const { encodeManifestList } = await import('./manifest-fixture.ts');
    const list = await encodeManifestList([{ uri: 'x' }]);
    const error = await failure(() => list);
    expect(error.code).toBe('InvariantBroken');
    expect(error.message).toContain('its schema cannot be read (it has no data_file)');
  });
});

it('a digest from the ledger takes no more memory than it says', async () => {
  const read = decodeDigest(encodeDigest(await digest({ files: [{}] })));
  expect(read?.kinds.buffer.byteLength).toBeLessThan(2_000);
});
