/** The parts of the files beside compaction and expiry: sweeps, windows, floors, overrides, tags. */
import { describe, expect, test } from 'vitest';
import { formatFault } from '../../src/project/faults.ts';
import { readPolicy } from '../../src/project/policies.ts';

function read(kind: string, lines: readonly string[]) {
  const head = kind === 'maintenance' ? 'tables: bronze.*' : 'every: 15m';
  return readPolicy([`kind: ${kind}`, 'name: m', head, ...lines].join('\n'), 'p.yaml');
}

describe('a sweep', () => {
  test('is read with its defaults', () => {
    expect(readPolicy('kind: sweep\nname: upkeep\n', 'p.yaml').policy).toEqual({
      kind: 'sweep',
      name: 'upkeep',
      file: 'p.yaml',
      tables: [{ kind: 'glob', text: '*' }],
      everyMs: 900_000,
      window: null,
      budget: { bytes: null, engineSeconds: null, tables: null, concurrency: 4 },
      paused: false,
    });
  });

  test('takes tables, window and budget', () => {
    const { policy, faults } = read('sweep', [
      'tables: [{tag: hourly}, silver.*]',
      'window:',
      '  zone: Europe/Berlin',
      '  from: "22:00"',
      '  to: "05:00"',
      '  days: [fri, sat]',
      '  blackouts:',
      '    - {from: 2026-12-24, to: 2026-12-26, because: Christmas}',
      '    - {from: 2026-12-31, because: the year ends}',
      '  missed: run',
      'budget: {bytes: 50GB, engineSeconds: 3600, tables: 20, concurrency: 2}',
    ]);
    expect(faults).toEqual([]);
    expect(policy).toMatchObject({
      tables: [{ kind: 'tag', text: 'hourly' }, { kind: 'glob' }],
      window: {
        zone: 'Europe/Berlin',
        from: '22:00',
        to: '05:00',
        days: ['fri', 'sat'],
        blackouts: [
          { from: '2026-12-24', to: '2026-12-26', because: 'Christmas' },
          { from: '2026-12-31', to: '2026-12-31', because: 'the year ends' },
        ],
        missed: 'run',
      },
      budget: { bytes: 50 * 2 ** 30, engineSeconds: 3600, tables: 20, concurrency: 2 },
    });
  });

  test.each([
    [
      ['window: {zone: CET+1, from: "01:00", to: "02:00"}'],
      'p.yaml:4:16: "zone": "CET+1" is not an IANA time zone',
    ],
    [
      ['window: {zone: UTC, from: "1:00", to: "02:00"}'],
      'p.yaml:4:27: "from": "1:00" is not a time of day',
    ],
    [['window: {zone: UTC, from: "01:00"}'], '"to": is missing'],
    [
      ['window: {zone: UTC, from: "01:00", to: "02:00", mised: run}'],
      'unknown key "mised"; did you mean "missed"?',
    ],
    [
      ['window: {zone: UTC, from: "01:00", to: "02:00", missed: later}'],
      '"missed": "later" is none of skip, run',
    ],
    [
      [
        'window: {zone: UTC, from: "01:00", to: "02:00", blackouts: [{from: 2026-02-30, because: x}]}',
      ],
      '"2026-02-30" is not a date of the calendar',
    ],
    [
      [
        'window: {zone: UTC, from: "01:00", to: "02:00", blackouts: [{from: 2026-03-02, to: 2026-03-01, because: x}]}',
      ],
      '"to": "2026-03-01" is before "from"',
    ],
    [['budget: {bytes: 5}'], '"bytes": a size is a text such as 512MB'],
    [['budget: {tables: 0}'], '"tables": "0" is too small: at least 1'],
    [['buget: {tables: 1}'], 'unknown key "buget"; did you mean "budget"?'],
  ])('with %j has its fault', (lines, message) => {
    const found = read('sweep', lines).faults.map(formatFault);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('more often than once a minute is below the floor', () => {
    const { faults } = readPolicy('kind: sweep\nname: m\nevery: 5s\n', 'p.yaml');
    expect(faults.map(formatFault)).toEqual([
      'p.yaml:3:8: "every": "5s" is below the floor of 1 m',
    ]);
  });
});

describe('maintenance', () => {
  test('takes every section, and knows the place of each field', () => {
    const { policy, faults } = read('maintenance', [
      'rewriteDeletes: {enabled: false, trigger: {metric: delete_files, atLeast: 10}}',
      'orphans: {enabled: true, olderThan: 96h, maxFiles: 10, maxShare: 0.01}',
      'statistics: {enabled: true, engine: trino, columns: [a, b]}',
      'properties: {set: {write.parquet.compression-codec: zstd}}',
      'cadence: {mustRunWithin: 7d, noopBackoffAfter: 2, spread: 30m, window: always}',
      'overrides: {allow: [compact.*, enabled]}',
    ]);
    expect(faults).toEqual([]);
    expect(policy).toMatchObject({
      settings: {
        orphans: { enabled: true, olderThanMs: 96 * 3_600_000, maxFiles: 10, maxShare: 0.01 },
        statistics: { columns: ['a', 'b'], engine: 'trino' },
        properties: { set: { 'write.parquet.compression-codec': 'zstd' } },
        cadence: { mustRunWithinMs: 7 * 86_400_000, spreadMs: 1_800_000, window: null },
        overrides: { allow: ['compact.*', 'enabled'] },
      },
      origins: { 'orphans.olderThanMs': { line: 5 }, 'cadence.window': { line: 8 } },
    });
  });

  test.each([
    [
      ['orphans: {olderThan: 71h}'],
      'p.yaml:4:22: "olderThan": "71h" is below the floor of 3 d: a younger file may belong to a ' +
        'commit that is still under way',
    ],
    [['orphans: {maxShare: 5}'], 'p.yaml:4:21: "maxShare": "5" is too big: at most 1'],
    [['statistics: {columns: []}'], '"columns": is too small: at least 1'],
    [['properties: {set: {a: 1}}'], '"a": a property is a text: write it in quotes'],
    [['cadence: {mustRunWithin: 5s}'], '"mustRunWithin": "5s" is below the floor of 1 m'],
    [
      ['cadence: {window: {zone: UTC, from: "01:00", to: "02:00", missed: run}}'],
      'unknown key "missed"',
    ],
    [['cadence: {window: never}'], 'p.yaml:4:19: "window"'],
    [
      ['overrides: {allow: [compact.targetFilesize]}'],
      'p.yaml:4:21: "allow": "compact.targetFilesize" is no field',
    ],
    [['tables2: {tag: x}'], 'unknown key "tables2"; did you mean "tables"?'],
  ])('with %j has its fault', (lines, message) => {
    const found = read('maintenance', lines).faults.map(formatFault);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('a tag is in small letters', () => {
    const { faults } = readPolicy('kind: maintenance\nname: m\ntables: {tag: PII}\n', 'p.yaml');
    expect(faults.map(formatFault)[0]).toContain('"PII" is no tag: small letters');
  });
});
