/** What the tests of the stack itself share: what its processes listen on, and requests to them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { StackStatus } from '../../stack/control.ts';
import type { ServiceRecord } from '../../stack/services/state.ts';

/** 127.0.0.1, ::1 and the mapped 127.0.0.1 as `/proc/net/tcp` and `tcp6` write them. */
const LOOPBACK = /^(0100007F|0{24}01000000|0{16}FFFF00000100007F)$/;

export function recordOf(status: StackStatus, name: string): ServiceRecord {
  const record = status.services.find((one) => one.name === name);
  if (record === undefined) throw new Error(`the stack has no ${name}`);
  return record;
}

/** Addresses other than loopback that the process listens on; must be none. */
export function openAddresses(pid: number): readonly string[] {
  if (process.platform !== 'linux') return openAddressesByLsof(pid);
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === '0A' && own.has(columns[9] ?? ''))
      .map((columns) => columns[1] ?? '')
      .filter((address) => !LOOPBACK.test(address.split(':')[0] ?? '')),
  );
}

function openAddressesByLsof(pid: number): readonly string[] {
  const args = ['-nP', '-a', '-p', String(pid), '-iTCP', '-sTCP:LISTEN', '-Fn'];
  const lines = execFileSync('lsof', args, { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.startsWith('n') && !/^n(127\.|\[::1\])/.test(line));
}

/** A request to the REST catalog; a body makes it a POST. */
export async function askCatalog(
  endpoint: string,
  path: string,
  token?: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(`${endpoint}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  });
  return { status: answer.status, body: await answer.json() };
}
