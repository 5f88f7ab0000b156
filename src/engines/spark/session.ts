/** Warm sessions: which one is alive, and that the statement's settings are in force in it. */
import { IcewrightError } from '../../domain/errors.ts';
import { firstLine, unavailableError } from './errors.ts';
import { type Failure, isCredentialsFailure, isLostConnection, readFailure } from './failure.ts';
import { createGate, type Gate } from './gate.ts';
import { sessionIdOf } from './ids.ts';
import type { Caller, ConfigRequest, ConfigResponse } from './messages.ts';
import { MARKER, planSettings } from './settings.ts';
import type { Wire } from './wire.ts';

/** A session that answered just now. */
export interface LiveSession {
  readonly sessionId: string;
  /** Spark's own id of it: sent along, it lets Spark notice that it was restarted meanwhile. */
  readonly serverSideId: string;
}

/** The session of one name. */
export interface SessionKeeper {
  readonly gate: Gate;
  /** Finds the live session and puts the settings in force. Nothing is handed over before. */
  prepare(settings: Readonly<Record<string, string>>): Promise<LiveSession>;
}

export interface SessionOptions {
  readonly wire: Wire;
  readonly deployment: string;
  readonly name: string;
  readonly userId: string;
  /** For a call with one answer; the first call of a cold server builds its session. */
  readonly callDeadlineMs: number;
}

/** Sessions that Spark closed for good, one after another: more than this is no accident. */
const EPOCH_LIMIT = 10_000;

/** How every request names its sender. */
export function callerOf(sessionId: string, userId: string): Caller {
  return { session_id: sessionId, user_context: { user_id: userId }, client_type: 'icewright' };
}

/**
 * The live session is the one of the lowest epoch that Spark has not closed: a fact about the
 * server, so that every process that counts from 0 arrives at the same one. A restarted Spark has
 * forgotten what it closed; then everyone counts from 0 again.
 */
export function createSessionKeeper(options: SessionOptions): SessionKeeper {
  let epoch = 0;
  let serverSideId: string | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const attempt = async (settings: Readonly<Record<string, string>>): Promise<LiveSession> => {
    for (let tries = 0; tries < EPOCH_LIMIT; tries += 1) {
      const sessionId = sessionIdOf(options.deployment, options.name, epoch);
      try {
        serverSideId = await applySettings(options, sessionId, serverSideId, settings);
        return { sessionId, serverSideId };
      } catch (error) {
        if (error instanceof IcewrightError) throw error;
        const failure = readFailure(error);
        const fate = sessionFate(failure);
        if (fate === null) throw prepareError(failure, options, sessionId);
        epoch = fate === 'closed' ? epoch + 1 : 0;
        serverSideId = undefined;
      }
    }
    const message = `Spark Connect at ${options.wire.address} closes every session that is opened`;
    throw new IcewrightError('EngineUnavailable', message, { session: options.name });
  };

  return {
    gate: createGate(),
    prepare: (settings) => {
      const next = last.then(() => attempt(settings));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

/**
 * What a failure says of its session. `closed`: this id is dead while this Spark lives.
 * `restarted`: another Spark answered under the same address. `null`: nothing.
 */
export function sessionFate(failure: Failure): 'closed' | 'restarted' | null {
  switch (failure.errorClass) {
    case 'INVALID_HANDLE.SESSION_CLOSED':
      return 'closed';
    case 'INVALID_HANDLE.SESSION_CHANGED':
    case 'INVALID_HANDLE.SESSION_NOT_FOUND':
      return 'restarted';
    default:
      return null;
  }
}

/** One call when the settings are in force already; it also proves the session alive. */
async function applySettings(
  options: SessionOptions,
  sessionId: string,
  serverSideId: string | undefined,
  wanted: Readonly<Record<string, string>>,
): Promise<string> {
  const config = (operation: ConfigRequest['operation'], observed: string | undefined) =>
    options.wire.ask(
      'Config',
      {
        ...callerOf(sessionId, options.userId),
        operation,
        ...(observed && { client_observed_server_side_session_id: observed }),
      },
      options.callDeadlineMs,
    );
  const keys = [MARKER, ...Object.keys(wanted)];
  const found = await config({ get_option: { keys } }, serverSideId);
  const change = planSettings(valuesOf(found), wanted);
  const observed = found.server_side_session_id;
  if (change.unset.length > 0) await config({ unset: { keys: change.unset } }, observed);
  const pairs = Object.entries(change.set).map(([key, value]) => ({ key, value }));
  if (pairs.length > 0) await config({ set: { pairs } }, observed);
  return observed;
}

function valuesOf(response: ConfigResponse): Record<string, string | undefined> {
  return Object.fromEntries((response.pairs ?? []).map(({ key, value }) => [key, value]));
}

function prepareError(failure: Failure, options: SessionOptions, sessionId: string) {
  const { address } = options.wire;
  if (isCredentialsFailure(failure) || isLostConnection(failure)) {
    return unavailableError(failure, address);
  }
  const { errorClass, sqlState } = failure;
  const text = `Spark refused a session setting of the statement: ${firstLine(failure.text)}`;
  return new IcewrightError('EngineRejected', text, { errorClass, sqlState, sessionId });
}
