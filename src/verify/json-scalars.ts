import { parseExactJson } from '../domain/exact-json.ts';

/**
 * The texts and numbers at a path of object fields, also in every element of lists on the way and
 * in JSON inside JSON. @param visit gets numbers as their text
 */
export function eachScalarAt(
  json: unknown,
  path: readonly string[],
  visit: (scalar: string) => void,
): void {
  const [name, ...rest] = path;
  if (Array.isArray(json)) {
    for (const one of json) eachScalarAt(one, path, visit);
  } else if (name === undefined) {
    if (typeof json === 'string' || typeof json === 'number') visit(String(json));
  } else if (typeof json === 'string' && /^\s*[[{]/.test(json)) {
    eachScalarAt(parsedOrNull(json), path, visit);
  } else if (typeof json === 'object' && json !== null && Object.hasOwn(json, name)) {
    eachScalarAt((json as Record<string, unknown>)[name], rest, visit);
  }
}

/** `null` for what is no JSON. */
export function parsedOrNull(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return null;
  }
}
