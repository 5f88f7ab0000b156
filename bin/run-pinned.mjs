/** Runs the pinned Node in the foreground. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { childEnvironment, nodePath, PROJECT_DIR } from './pinned-node.mjs';

/**
 * Resolves with the exit code. Signals are passed on.
 * @param {readonly string[]} argv
 * @param {{ cwd?: string }} [options] default folder: the project's
 * @returns {Promise<number>}
 */
export function runPinned(argv, options) {
  return runCommand(nodePath(), argv, options);
}

/**
 * @param {string} file
 * @param {readonly string[]} argv
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<number>}
 */
export function runCommand(file, argv, { cwd = PROJECT_DIR } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      cwd,
      stdio: 'inherit',
      env: childEnvironment(),
    });
    // A terminal's Ctrl-C reaches the child by itself; what is sent to us alone is passed on.
    const passOn = () => child.kill('SIGTERM');
    const wait = () => {};
    process.on('SIGTERM', passOn);
    process.on('SIGINT', wait);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', passOn);
      process.off('SIGINT', wait);
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
}
