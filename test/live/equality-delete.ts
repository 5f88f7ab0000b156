/** Deletes by value, as Flink writes them and neither Spark nor Trino does. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { javaTool } from '../../stack/services/environment.ts';

/**
 * Commits one to a table of the live stack.
 * @param table `lake.silver.letters`
 * @param column of type long
 * @param partition `day=2026-01-01`; default: of the whole table, which must then have been made
 * without partitions
 */
export async function deleteByValue(
  table: string,
  column: string,
  value: string,
  partition?: string,
): Promise<void> {
  const { parts, settings } = inject('stack');
  const source = new URL('../peers/EqualityDelete.java', import.meta.url).pathname;
  const name = table.slice(table.indexOf('.') + 1);
  const words = [name, column, value, ...(partition === undefined ? [] : [partition])];
  const java = javaTool(parts.javaForSpark, 'java');
  await promisify(execFile)(java, ['-cp', parts.sparkClasspath, source, ...words], {
    env: { ...process.env, ...settings },
  });
}
