/** Who listens on a port, read from `/proc` (Linux; elsewhere the holder stays unknown). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The state column of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A';
const COMMAND_LENGTH_MAX = 100;

/** `pid 123 (command)`, or undefined where it cannot be known (other user, other system). */
export function describePortHolder(port: number): string | undefined {
  const inodes = listeningInodes(port);
  const pid = inodes.size === 0 ? undefined : findProcess(inodes);
  return pid === undefined ? undefined : `pid ${pid} (${readCommand(pid)})`;
}

function listeningInodes(port: number): ReadonlySet<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
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

function findProcess(inodes: ReadonlySet<string>): number | undefined {
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

function readCommand(pid: number): string {
  const raw = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
  const command = raw.split('\0').join(' ').trim();
  return command === '' ? 'unknown command' : command.slice(0, COMMAND_LENGTH_MAX);
}

function readLines(path: string): readonly string[] {
  return (attempt(() => readFileSync(path, 'utf8')) ?? '')
    .split('\n')
    .filter((line) => line !== '');
}

/** `/proc` entries come and go while they are read. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
