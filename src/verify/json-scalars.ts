const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const INTEGER = /^-?\d+$/;

/**
 * @param path members on the way; lists, and JSON inside JSON, add none
 * @param isMember it is the name of a member
 */
export type VisitScalar = (scalar: string, path: readonly string[], isMember: boolean) => void;

/**
 * Every text and number in a JSON text, also in JSON inside JSON. A member that stands twice is
 * visited twice, of which `JSON.parse` would tell the last alone. Numbers come as their text,
 * exact, and without an exponent where they are whole.
 * @throws SyntaxError for what is no JSON
 */
export function eachScalar(text: string, visit: VisitScalar): void {
  JSON.parse(text);
  walk(text, [], visit);
}

interface Frame {
  readonly path: readonly string[];
  readonly isObject: boolean;
  /** Its value comes next; `null`: a name does, or it is a list. */
  member: string | null;
}

function walk(text: string, above: readonly string[], visit: VisitScalar): void {
  const frames: Frame[] = [];
  let name = '';
  for (const [token] of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    const path = frame === undefined ? above : pathIn(frame);
    if (token === '{' || token === '[') {
      frames.push({ path, isObject: token === '{', member: null });
    } else if (token === '}' || token === ']') {
      frames.pop();
    } else if (frame !== undefined && (token === ',' || token === ':')) {
      frame.member = token === ':' ? name : null;
    } else if (frame?.isObject === true && frame.member === null) {
      name = JSON.parse(token) as string;
      visit(name, path, true);
    } else {
      visitToken(token, path, visit);
    }
  }
}

function pathIn({ path, member }: Frame): readonly string[] {
  return member === null ? path : [...path, member];
}

function visitToken(token: string, path: readonly string[], visit: VisitScalar): void {
  if (token.startsWith('"')) {
    const text = JSON.parse(token) as string;
    if (isJson(text)) walk(text, path, visit);
    else visit(text, path, false);
  } else if (!/^[tfn]/.test(token)) {
    visit(INTEGER.test(token) ? token : String(Number(token)), path, false);
  }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
