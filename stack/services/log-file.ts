/** Log files of the services: one each, kept small, and their ends for error messages. */
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';

/** A log larger than this at a start is put aside (one old file is kept). */
const ROTATE_BYTES = 20 * 1024 * 1024;
const TAIL_BYTES = 8_192;

/** Opens for appending; the caller closes. */
export function openLog(path: string): number {
  try {
    if (statSync(path).size > ROTATE_BYTES) renameSync(path, `${path}.1`);
  } catch {
    // There is none yet.
  }
  return openSync(path, 'a', 0o600);
}

/** The last lines, at most `lines`; empty when there is no log. */
export function readTail(path: string, lines = 15): string {
  try {
    const { size } = statSync(path);
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    const file = openSync(path, 'r');
    try {
      readSync(file, buffer, 0, length, size - length);
    } finally {
      closeSync(file);
    }
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
