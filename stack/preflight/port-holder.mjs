/**
 * Who listens on a port, read from `/proc` (Linux; elsewhere the holder stays unknown). Plain
 * JavaScript: the preflight asks before anything is installed.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The state column of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A';
const COMMAND_LENGTH_MAX = 100;

/**
 * `pid 123 (command)`, or undefined where it cannot be known (other user, other system).
 * @param {number} port
 * @returns {string | undefined}
 */
export function describePortHolder(port) {
  const inodes = listeningInodes(port);
  const pid = inodes.size === 0 ? undefined : findProcess(inodes);
  return pid === undefined ? undefined : `pid ${pid} (${readCommand(pid)})`;
}

/** @param {number} port @returns {ReadonlySet<string>} */
function listeningInodes(port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = /** @type {Set<string>} */ (new Set());
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table).slice(1)) {
      const columns = line.trim().split(/\s+/);
      const [, local, , state] = columns;
      const inode = columns[9];
      if (inode !== undefined && state === LISTEN && local?.endsWith(wanted)) inodes.add(inode);
    }
  }
  return inodes;
}

/** @param {ReadonlySet<string>} inodes @returns {number | undefined} */
function findProcess(inodes) {
  const pids = attempt(() => readdirSync('/proc')) ?? [];
  for (const entry of pids) {
    if (!/^\d+$/.test(entry)) continue;
    for (const fd of attempt(() => readdirSync(`/proc/${entry}/fd`)) ?? []) {
      const target = attempt(() => readlinkSync(`/proc/${entry}/fd/${fd}`)) ?? '';
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return Number(entry);
    }
  }
  return undefined;
}

/** @param {number} pid @returns {string} */
function readCommand(pid) {
  const raw = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
  const command = raw.split('\0').join(' ').trim();
  return command === '' ? 'unknown command' : command.slice(0, COMMAND_LENGTH_MAX);
}

/** @param {string} path @returns {readonly string[]} */
function readLines(path) {
  return (attempt(() => readFileSync(path, 'utf8')) ?? '')
    .split('\n')
    .filter((line) => line !== '');
}

/**
 * `/proc` entries come and go while they are read.
 * @template T
 * @param {() => T} read
 * @returns {T | undefined}
 */
function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}
