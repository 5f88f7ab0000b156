/** Where the pinned Node lies, and the environment that our processes run in. */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const PROJECT_DIR = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The npm package `node` brings the binary. */
export function nodePath() {
  return join(PROJECT_DIR, 'node_modules', 'node', 'bin', 'node');
}

/** Downloads and builds that outlive a checkout: `$XDG_CACHE_HOME/icewright`. */
export function cacheDir() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'icewright');
}

/** Compiled code is kept, so that a command answers at once. */
export function childEnvironment() {
  return {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(cacheDir(), 'compile-cache'),
  };
}
