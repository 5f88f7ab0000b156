/**
 * Prometheus is the one part that the stack does without where it is not to be had: of the pinned
 * version as a Debian package, else of any version from the machine itself.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { PROMETHEUS_PROGRAMS, prometheusPart } from './deb-part.ts';
import { ensureAll } from './ensure.ts';
import { cacheDir } from './layout.mjs';
import type { ProgressListener } from './progress.ts';

/** What to do where neither way leads to it. */
export const PROMETHEUS_REMEDY =
  'install Prometheus so that "prometheus" and "promtool" are on PATH, or apt-get and dpkg-deb';

/**
 * The folder that holds both programs; undefined, and told why, where they cannot be had.
 * Rejects with `Cancelled` alone.
 */
export async function ensurePrometheus(onProgress: ProgressListener): Promise<string | undefined> {
  const cache = cacheDir();
  const part = prometheusPart(cache);
  if (part.isUsable()) return part.folder;
  const installed = findFolder(PROMETHEUS_PROGRAMS);
  let why = `it is not installed. To have it, ${PROMETHEUS_REMEDY}`;
  if (findFolder(['apt-get']) !== undefined && findFolder(['dpkg-deb']) !== undefined) {
    try {
      await ensureAll([part], { cache, onProgress });
      return part.folder;
    } catch (error) {
      if (error instanceof IcewrightError && error.code === 'Cancelled') throw error;
      why = error instanceof Error ? error.message : String(error);
    }
  }
  if (installed === undefined) onProgress(`Prometheus is left out: ${why}`);
  return installed;
}

/** The first folder of PATH that has all of these programs. */
function findFolder(programs: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((one) => one !== '');
  return folders.find((folder) => programs.every((name) => isProgram(join(folder, name))));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
