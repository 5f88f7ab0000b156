/** run/state.json: what the supervisor runs. Written by it alone, read by everyone. */
import { readJson, type StackHome, writeJson } from '../home.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import type { StopRule } from './service.ts';

/**
 * `waiting` for its needs · `starting` · `ready` · `restarting` after it ended · `failed` at its
 * start, not tried again by itself · `stopping` · `stopped` · `orphaned`: its supervisor is gone.
 */
export type ServiceState =
  | 'waiting'
  | 'starting'
  | 'ready'
  | 'restarting'
  | 'failed'
  | 'stopping'
  | 'stopped'
  | 'orphaned';

export interface ServiceRecord {
  readonly name: string;
  readonly version: string;
  readonly endpoint: string;
  readonly state: ServiceState;
  readonly pid: number | null;
  readonly process: ProcessIdentity | null;
  /** ISO time of the process's start. */
  readonly startedAt: string | null;
  /** From that start to the first good probe. */
  readonly readyAfterMs: number | null;
  readonly restarts: number;
  /** Ends in a row without serving for long. */
  readonly endings: number;
  /** Why it failed or ended last. */
  readonly problem: string | null;
  readonly log: string;
  readonly stop: StopRule;
}

export interface StackState {
  readonly supervisor: ProcessIdentity;
  readonly startedAt: string;
  /** The `up` that was served last. */
  readonly request: string;
  readonly services: readonly ServiceRecord[];
}

export function readState(home: StackHome): StackState | undefined {
  return readJson<StackState>(home.state);
}

export function writeState(home: StackHome, state: StackState): void {
  writeJson(home.state, state);
}

/** Whether the supervisor that wrote this state still runs. */
export function isSupervised(state: StackState | undefined): state is StackState {
  return state !== undefined && isRunning(state.supervisor);
}
