/** Log files of the services: one each, kept small, and their ends for error messages. */
import { closeSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';

/** A log larger than this at a start is put aside (one old file is kept). */
const ROTATE_BYTES = 20 * 1024 * 1024;
const TAIL_BYTES = 8_192;

const START_MARK = '# started ';

/** Opens for appending, with a line that marks this start; the caller closes. */
export function openLog(path: string): number {
  try {
    if (statSync(path).size > ROTATE_BYTES) renameSync(path, `${path}.1`);
  } catch {
    // There is none yet.
  }
  const file = openSync(path, 'a', 0o600);
  writeSync(file, `${START_MARK}${new Date().toISOString()}\n`);
  return file;
}

/** The last lines since the last start, at most `lines`, as the end of a sentence about the log. */
export function describeTail(path: string, lines = 15): string {
  const all = readEnd(path).trimEnd().split('\n');
  const start = all.findLastIndex((line) => line.startsWith(START_MARK));
  const tail = all.slice(start + 1).slice(-lines);
  const text = tail.join('\n').trim();
  return text === '' ? `Its log ${path} says nothing` : `Its log ${path} ends with\n${text}`;
}

function readEnd(path: string): string {
  try {
    const { size } = statSync(path);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const file = openSync(path, 'r');
    try {
      readSync(file, buffer, 0, buffer.length, size - buffer.length);
    } finally {
      closeSync(file);
    }
    return buffer.toString('utf8');
  } catch {
    return '';
  }
}
