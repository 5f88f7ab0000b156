import { describe, expect, it } from 'vitest';
import type { OrphanVoteInput } from '../../src/activities/table-files.ts';
import { compileOrphanVote } from '../../src/engines/spark/compile-orphans.ts';

const file = (uri: string) => ({ uri, sizeBytes: 1, modifiedAtMs: 1_000.7, etag: '"e"' });

const INPUT: OrphanVoteInput = {
  table: { catalog: 'lake', namespace: 'a.b', name: "o'clock" },
  location: 's3://lake/a/t',
  files: [file("s3://lake/a/t/it's.parquet"), file('s3://lake/a/t/back\\slash')],
  cutoffMs: Date.UTC(2026, 10, 1),
  name: 'icewright_orphans_1',
};

describe('the engine’s vote on a list', () => {
  it('is a dry run over exactly these files, with no way to a deletion', () => {
    const { prepare, ask, cleanUp } = compileOrphanVote(INPUT);
    expect([prepare.sql, ask.sql, cleanUp.sql]).toEqual([
      'CREATE OR REPLACE TEMPORARY VIEW `icewright_orphans_1` AS SELECT path AS file_path, ' +
        "timestamp_millis(at) AS last_modified FROM VALUES ('s3://lake/a/t/it\\'s.parquet', " +
        "1000L), ('s3://lake/a/t/back\\\\slash', 1000L) AS listed(path, at)",
      "CALL `lake`.system.remove_orphan_files(table => '`a`.`b`.`o\\'clock`', older_than => " +
        "TIMESTAMP '2026-11-01 00:00:00.000Z', dry_run => true, file_list_view => " +
        "'icewright_orphans_1', prefix_mismatch_mode => 'ERROR', prefix_listing => true)",
      'DROP VIEW IF EXISTS `icewright_orphans_1`',
    ]);
  });

  it('is asked in the spelling of the table’s location, and read in ours', () => {
    const input = { ...INPUT, location: 's3a://lake/a/t', files: [file('s3://lake/a/t/x')] };
    const { prepare, readVote } = compileOrphanVote(input);
    expect(prepare.sql).toContain("'s3a://lake/a/t/x'");
    expect(readVote([{ orphan_file_location: 's3a://lake/a/t/x' }])).toEqual(['s3://lake/a/t/x']);
  });

  it('is never more than was asked', () => {
    const { readVote } = compileOrphanVote(INPUT);
    const odd = [
      { orphan_file_location: 's3://lake/a/t/live' },
      {},
      { orphan_file_location: null },
    ];
    expect(readVote(odd)).toEqual([]);
  });
});
