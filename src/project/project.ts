/** Policies and models of a checkout, read again only when a file has changed. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from '../activities/ports.ts';
import { faultsError } from './faults.ts';
import { loadModels } from './models.ts';
import { requirePolicies } from './policies.ts';

export interface ProjectOptions {
  readonly modelsDir: string;
  readonly policiesDir: string;
  /** Catalog of two-part table names. */
  readonly catalogName: string;
}

export function openProject(options: ProjectOptions): Project {
  const { modelsDir, policiesDir, catalogName } = options;
  return {
    models: whenChanged(modelsDir, async () => {
      const { models, faults } = await loadModels(modelsDir, catalogName);
      if (faults.length > 0) throw faultsError('ModelInvalid', faults);
      return models;
    }),
    policies: whenChanged(policiesDir, () => requirePolicies(policiesDir)),
  };
}

/** Remembers what `load` gave until a file below `directory` has another time, size or name. */
function whenChanged<T>(directory: string, load: () => Promise<T>): () => Promise<T> {
  let seen: { readonly fingerprint: string; readonly value: T } | null = null;
  return async () => {
    const fingerprint = await fingerprintOf(directory);
    if (seen?.fingerprint !== fingerprint) seen = { fingerprint, value: await load() };
    return seen.value;
  };
}

async function fingerprintOf(directory: string): Promise<string> {
  try {
    const names = (await readdir(directory, { recursive: true })).sort();
    const files = names.map(async (name) => {
      const { mtimeMs, size } = await stat(join(directory, name));
      return `${name} ${mtimeMs} ${size}`;
    });
    return (await Promise.all(files)).join('\n');
  } catch {
    // A folder that cannot be read is the loader's to complain about.
    return 'unreadable';
  }
}
