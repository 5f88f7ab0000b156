/** Reads `models/<layer>/*.sql`: every fault is named, with its place, before anything is run. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { IcewrightError } from '../domain/errors.ts';
import { buildGraph } from '../domain/model/graph.ts';
import { LAYERS, type Model } from '../domain/model/model.ts';
import { type Fault, faultsError } from './faults.ts';
import { checkTogether } from './model-checks.ts';
import { type ReadModel, readModel } from './model-file.ts';

export interface LoadedModels {
  /** Those without a fault of their own, by layer and name. */
  readonly models: readonly Model[];
  readonly faults: readonly Fault[];
}

/**
 * Reads every model of a directory.
 * @param directory holds `bronze`, `silver` and `gold`; its name stands in the faults
 * @param defaultCatalog catalog of a target that names none
 * Rejects with `ModelInvalid` when there is no such directory.
 */
export async function loadModels(directory: string, defaultCatalog: string): Promise<LoadedModels> {
  const shown = basename(directory);
  const faults: Fault[] = [];
  const read: ReadModel[] = [];
  for (const file of await listFiles(directory)) {
    const place = join(shown, file);
    const [layer = '', name = '', ...deeper] = file.split('/');
    if (!LAYERS.some((one) => one === layer) || deeper.length > 0) {
      const message = `a model lies in ${shown}/<layer>/, layer one of ${LAYERS.join(', ')}`;
      faults.push({ file: place, line: 1, column: 1, message });
      continue;
    }
    const text = await readFile(join(directory, file), 'utf8');
    const expected = `${layer}.${basename(name, '.sql')}`;
    const one = readModel(text, { file, place, expected, defaultCatalog });
    faults.push(...one.faults);
    read.push(one);
  }
  const sound = read.filter((one) => one.model !== null);
  faults.push(...checkTogether(sound, read));
  return { models: buildGraph(sound.map((one) => one.model as Model)).models, faults };
}

/** As {@link loadModels}, but rejects with `ModelInvalid` when there is any fault. */
export async function requireModels(
  directory: string,
  defaultCatalog: string,
): Promise<readonly Model[]> {
  const { models, faults } = await loadModels(directory, defaultCatalog);
  if (faults.length > 0) throw faultsError('ModelInvalid', faults);
  return models;
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory, { recursive: true });
    return names.filter((name) => name.endsWith('.sql')).sort();
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new IcewrightError(
      'ModelInvalid',
      `${directory} is not a readable directory (${why}): name the one that holds the models`,
      { directory },
      error,
    );
  }
}
