/** The command-line tools that set-up needs: versions, without downloading anything. */
import { execFileSync } from 'node:child_process';

/** @typedef {{ what: string, remedy: string }} Problem */

/**
 * The oldest that will do. Go: minio's go.mod; Maven: its dependency plugin; npm: the lock file.
 */
export const OLDEST = /** @type {const} */ ({ node: '20.0', npm: '9.0', go: '1.24', maven: '3.6' });

/**
 * Compares numbers between dots; what is missing counts as 0.
 * @param {string} version
 * @param {string} least
 */
export function isAtLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  for (const [index, wanted] of (b ?? []).entries()) {
    const given = a?.[index] ?? 0;
    if (given !== wanted) return given > wanted;
  }
  return true;
}

/**
 * @param {string} [version]
 * @returns {Problem[]}
 */
export function checkNode(version = process.versions.node) {
  if (isAtLeast(version, OLDEST.node)) return [];
  return [
    {
      what: `Node ${version} is too old`,
      remedy: `install Node ${OLDEST.node.split('.')[0]} or later: it only installs the pinned one`,
    },
  ];
}

/**
 * npm names itself to the scripts that it runs; outside of one it is asked.
 * @param {NodeJS.ProcessEnv} [environment]
 */
export function checkNpm(environment = process.env) {
  const told = /\bnpm\/([\d.]+)/.exec(environment.npm_config_user_agent ?? '')?.[1];
  return judge({
    name: 'npm',
    found: told ?? askVersion('npm', ['--version'], /^([\d.]+)/m, environment),
    least: OLDEST.npm,
    use: 'installs the packages',
    remedy: 'it comes with Node; update it with "npm install -g npm"',
  });
}

/** @param {NodeJS.ProcessEnv} [environment] */
export function checkGo(environment = process.env) {
  return judge({
    name: 'Go',
    found: askVersion('go', ['version'], /\bgo([\d.]+)/, environment),
    least: OLDEST.go,
    use: 'builds the Temporal server and the object store',
    remedy: 'install it (package golang, or its own installer) and put its bin folder on PATH',
  });
}

/** @param {NodeJS.ProcessEnv} [environment] */
export function checkMaven(environment = process.env) {
  return judge({
    name: 'Maven',
    found: askVersion('mvn', ['--version'], /Apache Maven ([\d.]+)/, environment),
    least: OLDEST.maven,
    use: 'fetches Trino, Spark and the REST catalog',
    remedy: 'install it (package maven) and put mvn on PATH',
  });
}

/**
 * @param {{ name: string, found: string | undefined, least: string, use: string, remedy: string }}
 * tool
 * @returns {Problem[]}
 */
function judge({ name, found, least, use, remedy }) {
  if (found === undefined) {
    return [{ what: `${name} was not found; it ${use}`, remedy }];
  }
  if (isAtLeast(found, least)) return [];
  return [{ what: `${name} ${found} is too old: ${least} or later is needed`, remedy }];
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RegExp} pattern
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} undefined when the tool is not there or does not run
 */
function askVersion(file, args, pattern, environment) {
  try {
    /** @type {import("node:child_process").ExecFileSyncOptionsWithStringEncoding} */
    const options = {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
      timeout: 60_000,
    };
    return pattern.exec(execFileSync(file, [...args], options))?.[1];
  } catch {
    return undefined;
  }
}
