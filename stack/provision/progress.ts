/** What set-up tells a person while parts are made: one line for all that are in progress. */
import type { Part } from './part.ts';

export type ProgressListener = (line: string) => void;

export interface Progress {
  /** The part is being worked on; `what` replaces its usual verb ("waiting for"). */
  begin(part: Part, what?: string): void;
  /** Done: told once, with the time it took. */
  end(part: Part): void;
  close(): void;
}

/** A terminal overwrites the line; a log keeps each one. */
const TERMINAL_INTERVAL_MS = 1_000;
const LOG_INTERVAL_MS = 15_000;

interface Entry {
  readonly what: string;
  readonly sinceMs: number;
}

export function createProgress(
  tell: ProgressListener,
  intervalMs = process.stderr.isTTY === true ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS,
): Progress {
  const active = new Map<string, Entry>();
  const show = () => {
    const parts = [...active].map(
      ([part, { what, sinceMs }]) => `${what} ${part} (${formatElapsed(Date.now() - sinceMs)})`,
    );
    if (parts.length > 0) tell(parts.join(' · '));
  };
  const timer = setInterval(show, intervalMs);
  timer.unref();
  return {
    begin: (part, what = part.verb) => {
      const sinceMs = active.get(part.title)?.sinceMs ?? Date.now();
      active.set(part.title, { what, sinceMs });
      tell(`${what} ${part.title}`);
    },
    end: (part) => {
      const entry = active.get(part.title);
      active.delete(part.title);
      if (entry === undefined) return;
      tell(`${part.title} is ready (${formatElapsed(Date.now() - entry.sinceMs)})`);
    },
    close: () => clearInterval(timer),
  };
}

/** `0:42`, `12:05`: minutes and seconds. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
