/**
 * Takes the snapshots out of a large answer while it arrives, one by one, so that neither the text
 * nor the tree of a hundred megabytes is ever held as a whole.
 */
export interface SnapshotSplitter {
  push(chunk: Uint8Array): void;
  /** What is left: the answer with an empty list of snapshots. */
  end(): string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const COLON = 0x3a;
/** `snapshots` stand two levels deep: `{"metadata": {"snapshots": [ … ]}}`. */
const OUTER_KEY = 'metadata';
const INNER_KEY = 'snapshots';
const LONGEST_KEY = 16;

interface State {
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** The string that is being read, or was read last, if it can be one of the keys. */
  word: string;
  readonly keys: string[];
  inList: boolean;
}

/** @param onSnapshot the JSON text of one snapshot */
export function createSnapshotSplitter(onSnapshot: (text: string) => void): SnapshotSplitter {
  const state: State = {
    depth: 0,
    inString: false,
    escaped: false,
    word: '',
    keys: ['', '', ''],
    inList: false,
  };
  const rest: Buffer[] = [];
  let snapshot: Buffer[] = [];
  return {
    push: (chunk) => {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      let from = 0;
      for (let at = 0; at < bytes.length; at += 1) {
        const { depth } = state;
        step(state, bytes[at] as number);
        if (state.depth === depth) continue;
        const wasIn = isInside(state, depth);
        const isIn = isInside(state, state.depth);
        if (!wasIn && isIn) {
          // Between two snapshots there is nothing but a comma.
          if (!state.inList) rest.push(bytes.subarray(from, at));
          state.inList = true;
          from = at;
        } else if (wasIn && !isIn) {
          snapshot.push(bytes.subarray(from, at + 1));
          onSnapshot(Buffer.concat(snapshot).toString('utf8'));
          snapshot = [];
          from = at + 1;
        } else if (state.inList && !isIn && state.depth < 3) {
          state.inList = false;
          from = at;
        }
      }
      if (isInside(state, state.depth)) snapshot.push(Buffer.from(bytes.subarray(from)));
      else if (!state.inList) rest.push(Buffer.from(bytes.subarray(from)));
    },
    end: () => Buffer.concat([...rest, ...snapshot]).toString('utf8'),
  };
}

/** Inside of one snapshot: below the list of the two keys. */
function isInside({ keys }: State, depth: number): boolean {
  return depth > 3 && keys[1] === OUTER_KEY && keys[2] === INNER_KEY;
}

function step(state: State, byte: number): void {
  if (state.inString) {
    readString(state, byte);
    return;
  }
  switch (byte) {
    case QUOTE:
      state.inString = true;
      state.word = '';
      return;
    case COLON:
      if (state.depth <= 2) state.keys[state.depth] = state.word;
      return;
    case OPEN_OBJECT:
    case OPEN_LIST:
      state.depth += 1;
      return;
    case CLOSE_OBJECT:
    case CLOSE_LIST:
      state.depth -= 1;
  }
}

function readString(state: State, byte: number): void {
  if (state.escaped) state.escaped = false;
  else if (byte === BACKSLASH) state.escaped = true;
  else if (byte === QUOTE) state.inString = false;
  else if (state.depth <= 2 && state.word.length < LONGEST_KEY) {
    state.word += String.fromCharCode(byte);
  }
}
