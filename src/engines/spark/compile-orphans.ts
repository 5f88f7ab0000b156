/** Asks Iceberg in Spark which of exactly these files it calls orphans: a dry run, never more. */
import type { OrphanVote, OrphanVoteInput } from '../../activities/table-files.ts';
import { nameInCatalog } from '../../domain/table.ts';
import { quoteIdentifier, quotePath, quoteText } from './quote.ts';

/**
 * The list goes in as a view of the session. Iceberg keeps of it only what begins with the table's
 * location and is older than the limit: both are spelled as it spells them.
 */
export function compileOrphanVote(input: OrphanVoteInput): OrphanVote {
  const { table, files, cutoffMs, name } = input;
  const view = quoteIdentifier(name);
  const asSpelled = spellings(input);
  const rows = files.map((file, index) => {
    const path = quoteText(asSpelled[index] as string);
    return `(${path}, ${Math.floor(file.modifiedAtMs ?? cutoffMs)}L)`;
  });
  const target = quoteText(quotePath(nameInCatalog(table)));
  const limit = new Date(cutoffMs).toISOString().replace('T', ' ');
  return {
    prepare: {
      engine: 'spark',
      sql:
        `CREATE OR REPLACE TEMPORARY VIEW ${view} AS ` +
        'SELECT path AS file_path, timestamp_millis(at) AS last_modified ' +
        `FROM VALUES ${rows.join(', ')} AS listed(path, at)`,
    },
    ask: {
      engine: 'spark',
      sql:
        `CALL ${quoteIdentifier(table.catalog)}.system.remove_orphan_files(` +
        `table => ${target}, older_than => TIMESTAMP '${limit}', dry_run => true, ` +
        `file_list_view => ${quoteText(name)}, prefix_mismatch_mode => 'ERROR', ` +
        'prefix_listing => true)',
    },
    cleanUp: { engine: 'spark', sql: `DROP VIEW IF EXISTS ${view}` },
    readVote: (answer) => {
      const called = new Set(answer.map((row) => String(row.orphan_file_location)));
      return files
        .filter((_, index) => called.has(asSpelled[index] as string))
        .map(({ uri }) => uri);
    },
  };
}

/** `s3://b/t/x` of a table at `s3a://b/t` is `s3a://b/t/x`. */
function spellings({ location, files }: OrphanVoteInput): readonly string[] {
  const scheme = /^s3[an]?:/.exec(location)?.[0] ?? 's3:';
  return files.map(({ uri }) => uri.replace(/^s3[an]?:/, scheme));
}
