/** `npm ci`, only when what is installed is not what the lock file asks for. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { withInstallLock } from './install-lock.mjs';
import { nodePath, PROJECT_DIR } from './pinned-node.mjs';

const MODULES = join(PROJECT_DIR, 'node_modules');
/** Written after a complete install: an interrupted one is found and repeated. */
const STAMP = join(MODULES, '.icewright-install');

export function isInstalled() {
  return existsSync(nodePath()) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest();
}

/** Installs from the lock file unless that is done. Ends the process when it fails. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  const lock = join(PROJECT_DIR, '.icewright', 'install.lock');
  const tellWait = (/** @type {number} */ pid) => {
    process.stderr.write(`waiting for pid ${pid}, which installs the packages …\n`);
  };
  const installed = await withInstallLock(lock, () => isInstalled() || install(), tellWait);
  if (installed) return;
  process.stderr.write('the packages could not be installed (see above): run the command again\n');
  process.exit(1);
}

/** Whether it went well. */
function install() {
  process.stderr.write('installing packages (npm ci) …\n');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: PROJECT_DIR,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0 || !existsSync(nodePath())) return false;
  writeFileSync(STAMP, digest());
  return true;
}

function digest() {
  const lock = readFileSync(join(PROJECT_DIR, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.platform).digest('hex');
}
