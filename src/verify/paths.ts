/** Addresses of objects: as keys, and as texts that may betray a subject themselves. */
import { createHash } from 'node:crypto';
import type { How, Look } from './look.ts';
import { matcherOf } from './place-values.ts';
import type { TextPiece } from './texts.ts';

/** `s3a` and `s3n` are older names of `s3`. */
export function normalPath(uri: string): string {
  return uri.replace(/^s3[an]:\/\//, 's3://');
}

/** A prefix that ends in `/`, so that `t` never lists `t_2`. */
export function asFolder(uri: string): string {
  return `${normalPath(uri).replace(/\/+$/, '')}/`;
}

/** SHA-256 of the path, hex. */
export function pathHash(uri: string): string {
  return createHash('sha256').update(normalPath(uri)).digest('hex');
}

/** The column of position deletes that names a data file. */
export const FILE_PATH_ID = 2_147_483_546;

export function isFilePath(fieldId: number | undefined, names: readonly string[]): boolean {
  return fieldId === undefined ? names.join('.') === 'file_path' : fieldId === FILE_PATH_ID;
}

/** Looks at a path: texts in it, and `column=value` as partitioned paths have it. */
export function lookAtPath(uri: string, look: Look): void {
  look.wanted.texts.scan(Buffer.from(uri), 'text', (hit) => look.found(hit, 'path'));
  lookAtAssignments(uri, look, 'path');
}

/**
 * `column=value` in any text, by value where the column is mapped.
 * @param piece of a longer text: what may be cut at its ends is seen in the next or last one
 */
export function lookAtAssignments(text: string, look: Look, how: How, piece?: TextPiece): void {
  if (look.places.isEmpty) return;
  for (const match of text.matchAll(/([\w.%-]+)=([^/"&,\s]*)/g)) {
    const [whole, name, value] = match;
    if (piece?.isFirst === false && match.index === 0) continue;
    if (piece?.isLast === false && match.index + whole.length === text.length) continue;
    // A summary's key has a word before the column: `partitions.customer_id=42`.
    const plain = decoded(name as string);
    const names = [plain, plain.replace(/^partitions\./, '')];
    for (const one of new Set(names)) {
      const place = look.places.find(undefined, one.split('.'));
      if (place === null) continue;
      const bytes = Buffer.from(decoded((value as string).replaceAll('+', ' ')));
      matcherOf(place).text(bytes, (hit) => look.found(hit, how));
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
