/** Whose a metadata file is. */
import { gunzipSync } from 'node:zlib';
import { IcewrightError } from '../domain/errors.ts';

export interface UuidStore {
  get(uri: string, maxBytes: number): Promise<Buffer>;
  getStart(uri: string, bytes: number): Promise<Buffer>;
}

/** Iceberg writes format version, uuid and location first. */
const START_BYTES = 4_096;
const MAX_METADATA_BYTES = 128 * 2 ** 20;
/** Nothing but the format version and the uuid stands before its closing quote. */
const FIRST_FIELDS =
  /^\s*\{\s*(?:"format-version"\s*:\s*\d+\s*,\s*)?"table-uuid"\s*:\s*"([^"\\]+)"/;

/**
 * The `table-uuid` of a metadata file, plain or compressed; `null`: it has none, or is none.
 * Rejects when the store does not answer: that says nothing of the file.
 */
export async function readTableUuid(store: UuidStore, uri: string): Promise<string | null> {
  const start = await store.getStart(uri, START_BYTES);
  const found = FIRST_FIELDS.exec(start.toString('utf8'))?.[1];
  if (found !== undefined) return found;
  try {
    const bytes = start.length < START_BYTES ? start : await store.get(uri, MAX_METADATA_BYTES);
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const text = zipped ? gunzipSync(bytes, { maxOutputLength: 4 * MAX_METADATA_BYTES }) : bytes;
    const json = JSON.parse(text.toString('utf8')) as { 'table-uuid'?: unknown };
    const uuid = json['table-uuid'];
    return typeof uuid === 'string' && uuid !== '' ? uuid : null;
  } catch (cause) {
    const passing = cause instanceof IcewrightError && cause.code !== 'SafetyRefused';
    if (passing) throw cause;
    return null;
  }
}
