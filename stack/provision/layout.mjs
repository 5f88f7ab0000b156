/**
 * Where the provisioned parts lie in the cache, and which of them are complete. Plain JavaScript:
 * the preflight reads it on the machine's own Node, before anything is installed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {'temporal' | 'minio' | 'trino' | 'spark' | 'catalog' | 'prometheus'} PartName */

const STACK_DIR = fileURLToPath(new URL('..', import.meta.url));

/** Raised when the way in which parts are made changes: what an older way made is not used. */
const RECIPE = 1;

/**
 * Those that the stack cannot do without.
 * @type {readonly PartName[]}
 */
export const PART_NAMES = ['temporal', 'minio', 'trino', 'spark', 'catalog'];

/** The file that makes a part, inside its folder. */
export const PART_FILES = /** @type {const} */ ({
  temporal: 'temporal',
  minio: 'minio',
  trino: 'server',
  spark: 'classpath.txt',
  catalog: 'classpath.txt',
  prometheus: 'prometheus',
});

/** Every pinned version, as written in stack/pins.json. */
export function readPins() {
  return JSON.parse(readFileSync(join(STACK_DIR, 'pins.json'), 'utf8'));
}

/**
 * `$XDG_CACHE_HOME/icewright`, else `~/.cache/icewright`.
 * @param {NodeJS.ProcessEnv} [environment]
 */
export function cacheDir(environment = process.env) {
  const base = environment.XDG_CACHE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'icewright');
}

/**
 * The part's POM, for the parts that Maven fetches.
 * @param {'trino' | 'spark' | 'catalog'} part
 */
export function pomPath(part) {
  return join(STACK_DIR, part, 'pom.xml');
}

/**
 * Where a part lies, or will lie: the folder's name holds everything that the part depends on.
 * @param {PartName} part
 * @param {string} [cache]
 */
export function partFolder(part, cache = cacheDir()) {
  const pin = readPins()[part];
  const { image: _image, clientImage: _client, uiImage: _ui, ...made } = pin;
  const digest = createHash('sha256').update(
    JSON.stringify([RECIPE, process.platform, process.arch, made]),
  );
  if (part === 'trino' || part === 'spark' || part === 'catalog') {
    digest.update(readFileSync(pomPath(part)));
  }
  return join(cache, `${part}-${pin.version}-${digest.digest('hex').slice(0, 12)}`);
}

/**
 * Whether a part's folder holds it whole, and it can still be used.
 * @param {PartName} part
 * @param {string} folder
 */
export function isComplete(part, folder) {
  const path = join(folder, PART_FILES[part]);
  if (!existsSync(path)) return false;
  if (PART_FILES[part] !== 'classpath.txt') return true;
  // The jars lie in Maven's own folder, which its owner may have cleared.
  return readClasspath(path).split(delimiter).every(existsSync);
}

/** @param {string} path */
export function readClasspath(path) {
  return readFileSync(path, 'utf8').trim();
}

/**
 * The parts that are still to be fetched or built.
 * @param {string} [cache]
 * @returns {readonly PartName[]}
 */
export function missingParts(cache = cacheDir()) {
  return PART_NAMES.filter((part) => !isComplete(part, partFolder(part, cache)));
}
