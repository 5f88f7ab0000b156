/** The files of policies as texts, and what tells one set of them from another. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyVersion } from '../activities/ledger-port.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { Fault } from './faults.ts';

/** File name, without its folder → its text; in the order of the names. */
export type PolicyDocuments = Readonly<Record<string, string>>;

/** A policy is a page of text; a larger file is not one. */
const FILE_BYTES_MAX = 256 * 1024;

/** Rejects with `PolicyInvalid` when there is no such directory. */
export async function readPolicyDocuments(
  directory: string,
): Promise<{ readonly documents: PolicyDocuments; readonly faults: readonly Fault[] }> {
  const documents: Record<string, string> = {};
  const faults: Fault[] = [];
  for (const name of await listFiles(directory)) {
    const text = await readText(join(directory, name), faults);
    if (text !== null) documents[name] = text;
  }
  return { documents, faults };
}

/** The policies of a directory as the ledger records them. */
export async function versionOf(
  directory: string,
  by: string,
  nowMs: number,
): Promise<PolicyVersion> {
  const { documents } = await readPolicyDocuments(directory);
  const digest = createHash('sha256').update(JSON.stringify(documents)).digest('hex');
  return { digest, documents, appliedBy: by, appliedAt: new Date(nowMs).toISOString() };
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new IcewrightError(
      'PolicyInvalid',
      `${directory} is not a readable directory (${why}): name the one that holds the policies`,
      { directory },
      error,
    );
  }
}

async function readText(file: string, faults: Fault[]): Promise<string | null> {
  const fault = (message: string) => {
    faults.push({ file, line: 1, column: 1, message });
    return null;
  };
  try {
    const text = await readFile(file, 'utf8');
    return text.length > FILE_BYTES_MAX ? fault('is larger than any policy: 256 KB at most') : text;
  } catch (error) {
    return fault(`cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
