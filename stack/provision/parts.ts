/** The parts of the embedded stack: what is missing is fetched and built, what is there is used. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { PROJECT_DIR } from '../home.ts';
import { chooseJdk } from '../preflight/java.mjs';
import type { StackParts } from '../services/service.ts';
import { ensureAll } from './ensure.ts';
import { goPart } from './go-part.ts';
import { cacheDir, PART_FILES, readClasspath } from './layout.mjs';
import { classpathPart, trinoPart } from './maven-parts.ts';
import type { ProgressListener } from './progress.ts';
import { ensurePrometheus } from './prometheus.ts';

/**
 * Where every part lies; those that are missing are made first, in parallel. Warm it only looks at
 * files. Rejects with `PrerequisiteMissing` (no fitting JDK, no Go, no Maven) or `StackFailed` (a
 * download or build failed; another call resumes).
 */
export async function ensureParts(onProgress: ProgressListener): Promise<StackParts> {
  const cache = cacheDir();
  const javaForSpark = requireJdk('spark');
  const javaForTrino = requireJdk('trino');
  const maven = { cache, javaHome: javaForSpark };
  // Named once: an edit of the pins meanwhile must not move what is being made.
  const parts = {
    temporal: goPart('temporal', cache),
    minio: goPart('minio', cache),
    trino: trinoPart(maven),
    spark: classpathPart('spark', maven),
    catalog: classpathPart('catalog', maven),
  };
  await ensureAll(Object.values(parts), { cache, onProgress });
  const prometheus = await ensurePrometheus(onProgress);
  const path = (part: keyof typeof parts) => join(parts[part].folder, PART_FILES[part]);
  return {
    temporal: path('temporal'),
    minio: path('minio'),
    trinoHome: path('trino'),
    sparkClasspath: readClasspath(path('spark')),
    catalogClasspath: readClasspath(path('catalog')),
    javaForSpark,
    javaForTrino,
    node: findNode(),
    ...(prometheus === undefined ? {} : { prometheus }),
  };
}

/** Only Temporal's program: its path. Rejects as `ensureParts`, but needs no JDK. */
export async function ensureTemporal(onProgress: ProgressListener): Promise<string> {
  const cache = cacheDir();
  const part = goPart('temporal', cache);
  await ensureAll([part], { cache, onProgress });
  return join(part.folder, PART_FILES.temporal);
}

function requireJdk(engine: 'spark' | 'trino'): string {
  const choice = chooseJdk(engine);
  if ('jdk' in choice) return choice.jdk.home;
  throw new IcewrightError('PrerequisiteMissing', `${choice.what}: ${choice.remedy}`);
}

/** The pinned Node that npm installed with the project, else the one that runs this. */
function findNode(): string {
  const pinned = join(PROJECT_DIR, 'node_modules', 'node', 'bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}
