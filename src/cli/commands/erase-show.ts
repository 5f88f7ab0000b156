/** Requests for erasure as the ledger has them. */
import type { ErasureFilter } from '../../activities/erasure-ports.ts';
import { ERASURE_STATES, type ErasureRequest } from '../../domain/erasure/request.ts';
import { hasEnded, openBlockers } from '../../domain/erasure/transitions.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { formatBytes, formatDuration } from '../../domain/units.ts';
import { type Command, stringValue, type Values } from '../command.ts';
import type { Terminal } from '../terminal.ts';

export const eraseList: Command = {
  name: 'erase list',
  summary: 'Lists requests for erasure, newest first, with the time that is left for each.',
  usage: '[options]',
  options: { state: { type: 'string' }, limit: { type: 'string' } },
  help: {
    state: ERASURE_STATES.join(', '),
    limit: 'at most so many (default 20)',
  },
  examples: ['icewright erase list', 'icewright erase list --state awaiting_approval --json'],
  positionals: { min: 0, max: 0 },
  run: async ({ values, session, terminal }) => {
    const requests = await (await session.erasures()).listRequests(readFilter(values));
    const nowMs = Date.now();
    terminal.table(
      ['request', 'subject', 'state', 'requested', '>time left', 'waits for'],
      requests.map((one) => [
        one.requestId,
        `${one.subject} ${one.subjectHash.slice(0, 12)}`,
        one.state,
        one.requestedAt,
        timeLeft(one, nowMs),
        waitsFor(one) ?? '',
      ]),
    );
    return { json: { requests } };
  },
};

export const eraseStatus: Command = {
  name: 'erase status',
  summary: 'Shows one request for erasure: its state, what was found, what blocks it.',
  usage: '<requestId>',
  options: {},
  help: {},
  examples: ['icewright erase status 20261121T020000-4f2a9c --json'],
  positionals: { min: 1, max: 1 },
  run: async ({ positionals, session, terminal }) => {
    const requestId = positionals[0] as string;
    const request = await (await session.erasures()).readRequest(requestId);
    if (request === null) {
      const message = `erasure ${requestId} is not known: see "icewright erase list"`;
      throw new IcewrightError('RunNotFound', message, { requestId });
    }
    tellRequest(terminal, request);
    return { json: request };
  },
};

function tellRequest(terminal: Terminal, request: ErasureRequest): void {
  terminal.print(terminal.bold(`${request.requestId}: ${request.state}`));
  terminal.print(`  ${request.subject} ${request.subjectHash}`);
  terminal.print(`  ground: ${request.ground}`);
  terminal.print(`  asked by ${request.requestedBy} at ${request.requestedAt}`);
  terminal.print(`  due ${request.deadlineAt}, ${timeLeft(request, Date.now())}`);
  if (request.approvedBy !== null) {
    const { approvedBy, approvedAccount, approvedAt } = request;
    const account = approvedAccount === approvedBy ? '' : ` (account ${approvedAccount})`;
    terminal.print(`  approved by ${approvedBy}${account} at ${approvedAt}`);
  }
  const waits = waitsFor(request);
  if (waits !== null) terminal.print(`  waits for ${waits}`);
  for (const { table, refs } of request.found) {
    for (const ref of refs) {
      const held = `${ref.rows} rows in ${ref.files} files (${formatBytes(ref.bytes)})`;
      terminal.print(`  found in ${table} ${ref.type} ${ref.name}: ${held}`);
    }
  }
  if (request.sharedIdentifiers.length > 0) {
    const names = request.sharedIdentifiers.join(', ');
    terminal.print(`  not looked for: values of ${names} that rows of other people hold as well`);
  }
  for (const one of request.blockers) {
    const { exception } = one;
    const what = `${one.kind} ${one.name} of ${one.table}: ${one.because}`;
    if (exception === null) terminal.print(terminal.red(`  blocked by ${what}; ${one.remedy}`));
    else terminal.print(`  excepted by ${exception.by} (${exception.because}): ${what}`);
  }
  if (request.error !== null) terminal.print(terminal.red(`  ${request.error.message}`));
  if (request.certificateId !== null) terminal.print(`  certificate ${request.certificateId}`);
}

function timeLeft(request: ErasureRequest, nowMs: number): string {
  if (hasEnded(request)) return '';
  const leftMs = Date.parse(request.deadlineAt) - nowMs;
  return leftMs < 0 ? `${formatDuration(-leftMs)} LATE` : `${formatDuration(leftMs)} left`;
}

/** What only a person can do about it; `null`: nothing. */
function waitsFor(request: ErasureRequest): string | null {
  if (hasEnded(request)) return null;
  if (request.hold !== null) return `the end of a legal hold by ${request.hold.by}`;
  if (request.pausedBy !== null) return `${request.pausedBy}, who paused it`;
  const blockers = openBlockers(request).length;
  if (blockers > 0) return `${blockers} blockers`;
  const waits = request.state === 'awaiting_approval' && request.approvedBy === null;
  return waits ? 'approval by a second person' : null;
}

function readFilter(values: Values): ErasureFilter {
  const limit = Number(stringValue(values, 'limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new IcewrightError('UsageInvalid', `--limit "${values.limit}": expected 1 to 10000`);
  }
  const given = stringValue(values, 'state');
  const state = ERASURE_STATES.find((one) => one === given);
  if (given !== null && state === undefined) {
    const message = `--state "${given}": expected ${ERASURE_STATES.join(', ')}`;
    throw new IcewrightError('UsageInvalid', message);
  }
  return { limit, ...(state === undefined ? {} : { states: [state] }) };
}
