/**
 * One install at a time: `npm start` and `npm test`, begun together in a fresh clone, would empty
 * the packages' folder under each other.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;

/**
 * Runs `act` when no other process holds the lock; what a dead one left is taken over.
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} act
 * @param {(pid: number) => void} [onWait] told once
 * @returns {Promise<T>}
 */
export async function withInstallLock(path, act, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; !tryLock(path); await sleep(POLL_MS)) {
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (!isAlive(holder)) removeDead(path, holder);
    else if (!told) {
      onWait(holder);
      told = true;
    }
  }
  try {
    return await act();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Linked into place with its holder's name in it: it is never seen empty.
 * @param {string} path
 */
function tryLock(path) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Another process may have taken it over since it was read: what was removed is looked at again.
 * @param {string} path
 * @param {number} dead
 */
function removeDead(path, dead) {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
    if (readHolder(aside) !== dead) linkSync(aside, path);
  } catch {
    // Gone already, or taken again: the next look tells.
  }
  rmSync(aside, { force: true });
}

/** @param {string} path @returns {number | undefined} undefined when it is gone */
function readHolder(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
