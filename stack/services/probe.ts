/** Readiness probes: short, and an answer in every case. */
import { connect } from 'node:net';
import { LOOPBACK } from '../ports.ts';

const PROBE_TIMEOUT_MS = 2_000;

/** Whether a GET answers 2xx and, where `accept` is given, with a body that it accepts. */
export async function probeHttp(
  url: string,
  accept: (body: string) => boolean = () => true,
): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await answer.text();
    return answer.ok && accept(body);
  } catch {
    return false;
  }
}

/** Whether something accepts connections on a loopback port. */
export async function probePort(port: number): Promise<boolean> {
  return await new Promise((settle) => {
    const socket = connect({ port, host: LOOPBACK, timeout: PROBE_TIMEOUT_MS });
    const end = (open: boolean): void => {
      socket.destroy();
      settle(open);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
