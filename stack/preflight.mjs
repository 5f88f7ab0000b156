/**
 * What set-up needs of this machine, all of it looked at before anything is downloaded. Plain
 * JavaScript without packages: it runs on the machine's own Node.
 *
 *   node stack/preflight.mjs        names everything that is missing; exit 0 or 2
 */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseJdk } from './preflight/java.mjs';
import { checkPorts, isStackRunning } from './preflight/ports.mjs';
import { checkDisk, checkMemory, listDiskNeeds } from './preflight/space.mjs';
import { checkGo, checkMaven, checkNode, checkNpm } from './preflight/tools.mjs';
import { cacheDir, missingParts } from './provision/layout.mjs';

/** @typedef {import('./preflight/tools.mjs').Problem} Problem */

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));

/**
 * Everything that is missing or in the way, each with its remedy; empty when set-up can begin.
 * Tools that would only make parts which are there already are not asked for.
 * @param {object} options
 * @param {boolean} options.ports also look at the ports (a stack on ports of its own needs none)
 * @param {NodeJS.ProcessEnv} [options.environment]
 * @param {string} [options.projectDir]
 * @returns {Promise<readonly Problem[]>}
 */
export async function preflight({ ports, environment = process.env, projectDir = PROJECT_DIR }) {
  const stackHome = resolve(projectDir, environment.ICEWRIGHT_HOME || '.icewright');
  const cache = cacheDir(environment);
  const missing = missingParts(cache);
  const installed = existsSync(join(projectDir, 'node_modules', 'node', 'bin', 'node'));
  const needs = { projectDir, stackHome, cache, installed, missing, environment };
  // Memory that our own stack takes already is not needed again.
  const running = ports && isStackRunning(stackHome);
  return [
    ...checkNode(),
    ...(installed ? [] : checkNpm(environment)),
    ...checkJava(environment),
    ...(needsGo(missing) ? checkGo(environment) : []),
    ...(needsMaven(missing) ? checkMaven(environment) : []),
    ...checkDisk(listDiskNeeds(needs)),
    ...(running ? [] : checkMemory()),
    ...(ports ? await checkPorts(stackHome, environment) : []),
  ];
}

/**
 * One message that names everything.
 * @param {readonly Problem[]} missing
 */
export function describeMissing(missing) {
  const told = missing.map(({ what, remedy }) => `  - ${what}\n    → ${remedy}`);
  return `This machine is not ready yet:\n${told.join('\n')}\n`;
}

/** @param {NodeJS.ProcessEnv} environment */
function checkJava(environment) {
  return [chooseJdk('spark', environment), chooseJdk('trino', environment)].filter(
    (choice) => 'what' in choice,
  );
}

/** @param {readonly string[]} missing */
function needsGo(missing) {
  return missing.includes('temporal') || missing.includes('minio');
}

/** @param {readonly string[]} missing */
function needsMaven(missing) {
  return missing.some((part) => part === 'trino' || part === 'spark' || part === 'catalog');
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  const missing = await preflight({ ports: true });
  if (missing.length > 0) {
    process.stderr.write(describeMissing(missing));
    process.exitCode = 2;
  }
}
