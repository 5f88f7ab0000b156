/** Requests to forget a subject: asked for, approved by a second person, held, called off. */
import { randomUUID } from 'node:crypto';
import type { ErasureActed } from '../../activities/erasure-ports.ts';
import type { Subject } from '../../domain/erasure/privacy.ts';
import { BLOCKER_KINDS, type ErasureRequest } from '../../domain/erasure/request.ts';
import type { RequestAct } from '../../domain/erasure/transitions.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { runIdAt } from '../../domain/ids.ts';
import { type Command, type CommandInput, stringValue } from '../command.ts';
import { openErasures } from '../erasures.ts';

export const eraseRequest: Command = {
  name: 'erase request',
  summary:
    'Asks that a subject be forgotten; somebody else approves it, then it is done and proven.',
  usage: '--subject <kind>:<key> --ground "<text>"',
  options: {
    subject: { type: 'string' },
    ground: { type: 'string' },
    'requested-at': { type: 'string' },
  },
  help: {
    subject: 'kind and key, such as customer:4711; customer:- reads the key from standard input',
    ground: 'why, for the certificate: "Art. 17(1)(a) GDPR, request of 21 November"; no names',
    'requested-at': 'when the person asked (ISO time, default now): the deadline counts from then',
  },
  examples: [
    'echo 4711 | icewright erase request --subject customer:- --ground "Art. 17 GDPR" --json',
    'icewright erase status <requestId>',
    'icewright erase approve <requestId>     # by another person',
  ],
  positionals: { min: 0, max: 0 },
  run: requestErasure,
};

async function requestErasure({ session, terminal, values }: CommandInput) {
  const { name, key } = await readSubject(values.subject);
  const ground = stringValue(values, 'ground')?.trim() ?? '';
  if (ground === '') throw new IcewrightError('UsageInvalid', '--ground is missing: say why');
  const { erasures, keys, privacy, wake } = await openErasures(session);
  const nowMs = Date.now();
  const requestedAtMs = readTime(stringValue(values, 'requested-at'), nowMs);
  const policies = await privacy();
  const policy = policies.find((one) => one.subjects.some((subject) => subject.name === name));
  const subject = policy?.subjects.find((one) => one.name === name);
  if (policy === undefined || subject === undefined) {
    const known = policies.flatMap((one) => one.subjects.map((each) => each.name)).join(', ');
    throw new IcewrightError('UsageInvalid', `"${name}" is no kind of subject; known: ${known}`);
  }
  checkKey(subject, key);
  const requestId = runIdAt(nowMs, randomUUID());
  const request = await erasures.openRequest(
    {
      requestId,
      subject: name,
      subjectHash: keys.hasher().hash(name, subject.key, key),
      ground,
      requestedBy: session.requestedBy,
      requestedAt: new Date(requestedAtMs).toISOString(),
      deadlineAt: new Date(requestedAtMs + policy.deadlineMs).toISOString(),
    },
    keys.seal(requestId, { [subject.key]: [key] }),
  );
  await wake(request);
  terminal.print(`request ${requestId}, to be answered by ${request.deadlineAt}`);
  terminal.print(`see "icewright erase status ${requestId}"`);
  return { json: requestJson(request) };
}

/** The key of the subject never gets into an error's text. */
async function readSubject(value: unknown): Promise<{ name: string; key: string }> {
  const text = typeof value === 'string' ? value : '';
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) {
    const message = '--subject is of the form <kind>:<key>, or <kind>:- with the key on stdin';
    throw new IcewrightError('UsageInvalid', message);
  }
  const given = text.slice(colon + 1);
  const key = given === '-' ? await readStdin() : given;
  if (key.trim() === '')
    throw new IcewrightError('UsageInvalid', 'the key of the subject is empty');
  return { name: text.slice(0, colon), key: key.trim() };
}

async function readStdin(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function checkKey({ key: name, identifiers }: Subject, key: string): void {
  const type = identifiers.find((one) => one.name === name)?.type;
  if (type !== 'bigint' || (/^-?\d{1,19}$/.test(key) && String(BigInt(key)) === key)) return;
  throw new IcewrightError('UsageInvalid', `the key of a subject by ${name} is a whole number`);
}

function readTime(text: string | null, nowMs: number): number {
  if (text === null) return nowMs;
  const atMs = Date.parse(text);
  if (atMs <= nowMs) return atMs;
  throw new IcewrightError('UsageInvalid', `--requested-at "${text}" is no ISO time in the past`);
}

/** A command that does one act to one request. */
function actCommand(what: {
  readonly name: string;
  readonly summary: string;
  readonly options?: Command['options'];
  readonly help?: Command['help'];
  readonly example: string;
  readonly act: (input: CommandInput, request: ErasureRequest) => RequestAct;
}): Command {
  return {
    name: what.name,
    summary: what.summary,
    usage: '<requestId>',
    options: { ...what.options, by: { type: 'string' } },
    help: { ...what.help, by: 'who does it (default: your account, which is recorded as well)' },
    examples: [what.example],
    positionals: { min: 1, max: 1 },
    run: async (input) => {
      const { session, terminal, positionals, values } = input;
      const { erasures, wake } = await openErasures(session);
      const requestId = positionals[0] as string;
      const by = stringValue(values, 'by');
      const request = await erasures.readRequest(requestId);
      if (request === null) {
        const message = `there is no request ${requestId}: see "icewright erase list"`;
        throw new IcewrightError('RunNotFound', message);
      }
      const acted: ErasureActed = await erasures.actOn({
        requestId,
        act: what.act(input, request),
        by: by === null ? session.requestedBy : `cli:${by}`,
        account: session.requestedBy,
        trustsNames: session.config.erasure.trustBy,
        at: new Date().toISOString(),
      });
      await wake(acted.request);
      terminal.print(`request ${requestId} is ${acted.request.state}`);
      return { json: requestJson(acted.request) };
    },
  };
}

export const eraseApprove = actCommand({
  name: 'erase approve',
  summary:
    'Approves a request; whoever asked for it cannot, nor their account, unless it acts for several ' +
    'people (ICEWRIGHT_ERASURE_TRUST_BY=true, with --by).',
  example: 'icewright erase approve 20261121T020000-4f2a9c',
  act: () => ({ kind: 'approve' }),
});

export const eraseCancel = actCommand({
  name: 'erase cancel',
  summary: 'Calls a request off, as long as nothing is forgotten yet.',
  example: 'icewright erase cancel 20261121T020000-4f2a9c',
  act: () => ({ kind: 'move', to: 'cancelled' }),
});

export const eraseHold = actCommand({
  name: 'erase hold',
  summary:
    'Sets a legal hold: nothing is forgotten until it is lifted. Too late once forgetting has begun.',
  options: { because: { type: 'string' } },
  help: { because: 'the ground of the hold, such as "litigation 17/2026"' },
  example: 'icewright erase hold <requestId> --because "litigation 17/2026"',
  act: ({ values }) => ({ kind: 'hold', because: required(values.because, 'because') }),
});

export const eraseLift = actCommand({
  name: 'erase lift',
  summary: 'Lifts the legal hold of a request.',
  example: 'icewright erase lift <requestId>',
  act: () => ({ kind: 'lift_hold' }),
});

export const erasePause = actCommand({
  name: 'erase pause',
  summary: 'Lets a request wait, as long as nothing is forgotten yet; its deadline does not wait.',
  example: 'icewright erase pause <requestId>',
  act: () => ({ kind: 'pause' }),
});

export const eraseResume = actCommand({
  name: 'erase resume',
  summary: 'Lets a paused request go on.',
  example: 'icewright erase resume <requestId>',
  act: () => ({ kind: 'resume' }),
});

export const eraseExcept = actCommand({
  name: 'erase except',
  summary: 'Records that what blocks a request stays as it is, by whose word and why.',
  options: {
    table: { type: 'string' },
    ref: { type: 'string' },
    kind: { type: 'string' },
    because: { type: 'string' },
  },
  help: {
    table: 'the table of the blocker',
    ref: 'name of the tag or branch, or what "erase status" calls the blocker',
    kind: `${BLOCKER_KINDS.join(', ')} (default tag)`,
    because: 'the legal ground; it stands in the certificate',
  },
  example:
    'icewright erase except <requestId> --table bronze.raw_orders --ref audit-2025 --because "§ 257 HGB"',
  act: ({ values, session }) => ({
    kind: 'except',
    blocker: {
      table: tableName(session, required(values.table, 'table')),
      kind: kindOf(stringValue(values, 'kind') ?? 'tag'),
      name: required(values.ref, 'ref'),
    },
    because: required(values.because, 'because'),
  }),
});

export const eraseRetry = actCommand({
  name: 'erase retry',
  summary: 'Lets a request that failed go on where it stopped; one that waits looks again at once.',
  example: 'icewright erase retry <requestId>',
  act: (_input, request) => retryOf(request),
});

/** Before anything is forgotten, the subject is looked for again; one at work only tries again. */
function retryOf({ state, forgettingAt }: ErasureRequest): RequestAct {
  if (state === 'failed' && forgettingAt !== null) {
    return { kind: 'move', to: 'forgetting', patch: { batchId: null } };
  }
  const again = state === 'failed' || state === 'awaiting_approval';
  return again
    ? { kind: 'move', to: 'requested', patch: { batchId: null } }
    : { kind: 'amend', patch: {} };
}

function kindOf(text: string): (typeof BLOCKER_KINDS)[number] {
  const kind = BLOCKER_KINDS.find((one) => one === text);
  if (kind !== undefined) return kind;
  throw new IcewrightError('UsageInvalid', `--kind "${text}": one of ${BLOCKER_KINDS.join(', ')}`);
}

function tableName(session: CommandInput['session'], text: string): string {
  const { catalog, namespace, name } = session.table(text);
  return `${catalog}.${namespace}.${name}`;
}

function required(value: unknown, option: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new IcewrightError('UsageInvalid', `--${option} is missing`);
}

/** As `--json` prints it: the row without anything else. */
export function requestJson(request: ErasureRequest) {
  return { ...request, forgotten: request.forgettingAt !== null };
}
