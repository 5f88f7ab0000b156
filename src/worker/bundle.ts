/**
 * Builds the workflow code ahead of the worker, so that the bundler (hundreds of MB) never lives in
 * the worker's process. The bundle is named by the digest of its sources and built when missing.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type EncryptionKeys, PROJECT_DIR, readConfig } from '../config.ts';
import { FAILURE_CONVERTER } from '../temporal/codec.ts';

const ENTRY = join(PROJECT_DIR, 'src', 'workflows', 'index.ts');

/** Workflows carry their failures' converter in the bundle; `null`: failures stay in clear. */
export function failureConverterFor({ keys, keysFile }: EncryptionKeys): string | null {
  return keys === undefined && keysFile === undefined ? null : FAILURE_CONVERTER;
}

/** Path of the bundle that belongs to today's sources, whether it exists or not. */
export async function bundlePath(home: string, failureConverter: string | null): Promise<string> {
  return join(home, 'build', `workflows-${await sourcesDigest(failureConverter)}.js`);
}

/** Builds the bundle unless it is there; older ones are removed. Returns its path. */
export async function buildBundle(home: string, failureConverter: string | null): Promise<string> {
  const path = await bundlePath(home, failureConverter);
  if (existsSync(path)) return path;
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: ENTRY,
    ...(failureConverter === null ? {} : { failureConverterPath: failureConverter }),
    logger: new DefaultLogger('WARN'),
  });
  const dir = join(home, 'build');
  await mkdir(dir, { recursive: true });
  for (const old of await readdir(dir)) {
    if (/^workflows-.*\.js$/.test(old)) await rm(join(dir, old), { force: true });
  }
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, path);
  return path;
}

/**
 * Digest of what goes into the bundle: workflows, domain, activity types, and the SDK's version.
 */
async function sourcesDigest(failureConverter: string | null): Promise<string> {
  const hash = createHash('sha256');
  const sdk = createRequire(import.meta.url)('@temporalio/workflow/package.json');
  hash.update((sdk as { version: string }).version);
  if (failureConverter !== null) hash.update(await readFile(failureConverter));
  for (const room of ['workflows', 'domain', 'activities']) {
    const dir = join(PROJECT_DIR, 'src', room);
    for (const file of (await readdir(dir, { recursive: true })).sort()) {
      if (file.endsWith('.ts')) hash.update(file).update(await readFile(join(dir, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

if (import.meta.main) {
  const { home, temporal } = readConfig();
  const path = await buildBundle(home, failureConverterFor(temporal.payloadKeys));
  process.stdout.write(`${path}\n`);
}
