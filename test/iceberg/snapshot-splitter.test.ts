import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSlimSnapshot } from '../../src/iceberg/slim-snapshot.ts';
import { createSnapshotSplitter } from '../../src/iceberg/snapshot-splitter.ts';

function split(text: string, chunkBytes: number) {
  const found: unknown[] = [];
  const splitter = createSnapshotSplitter((one) => found.push(JSON.parse(one)));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    splitter.push(bytes.subarray(at, at + chunkBytes));
  }
  return { found, rest: JSON.parse(splitter.end()) as unknown };
}

describe('the splitter', () => {
  it('takes out the snapshots, whatever stands in them and wherever the text is cut', () => {
    const snapshots = fc.array(fc.object({ maxDepth: 3 }), { maxLength: 5 });
    const answers = fc.record({ snapshots, around: fc.jsonValue(), space: fc.boolean() });
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 50 }), ({ around, ...given }, chunk) => {
        const listed = JSON.parse(JSON.stringify(given.snapshots)) as unknown[];
        const make = (list: unknown[]) => ({
          before: around,
          snapshots: [{ not: 'these' }],
          metadata: { refs: { snapshots: [{ nor: 'these' }] }, snapshots: list, after: around },
          config: { snapshots: around },
        });
        const text = JSON.stringify(make(listed), null, given.space ? 2 : 0);
        expect(split(text, chunk)).toEqual({
          found: listed,
          rest: JSON.parse(JSON.stringify(make([]))),
        });
      }),
    );
  });

  it('is not led astray by quotes, brackets and escapes in texts', () => {
    const text = String.raw`{"metadata":{"a\"snapshots":[{"x":1}],"snapshots":[{"s":"]}\\\"{["}]}}`;
    for (let chunk = 1; chunk < 20; chunk += 1) {
      expect(split(text, chunk).found).toEqual([{ s: ']}\\"{[' }]);
    }
  });
});

describe('a slim snapshot', () => {
  it('keeps totals, marks of runs and offsets, and exact ids', () => {
    const summary = {
      operation: 'append',
      'added-data-files': '1',
      'added-records': '5',
      'changed-partition-count': '2',
      'engine-version': '4.1',
      'icewright.run-id': 'r',
      'flink.max-committed-checkpoint-id': '7',
      'total-data-files': '9',
    };
    const json = { 'snapshot-id': 'ID', 'timestamp-ms': 5, 'manifest-list': 'l', summary };
    const text = JSON.stringify(json).replace('"ID"', '9007199254740993111');
    expect(readSlimSnapshot(text, 'x')).toMatchObject({
      'snapshot-id': '9007199254740993111',
      'manifest-list': 'l',
      summary: {
        operation: 'append',
        'added-records': '5',
        'icewright.run-id': 'r',
        'flink.max-committed-checkpoint-id': '7',
        'total-data-files': '9',
      },
    });
    expect(Object.keys(readSlimSnapshot(text, 'x').summary).length).toBe(5);
  });

  it('that is none says where', () => {
    expect(() => readSlimSnapshot('{}', 'http://catalog (table lake.a.t)')).toThrow(/lake\.a\.t/);
  });
});
