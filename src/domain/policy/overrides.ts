/**
 * Table properties that change the policy of their table: `icewright.compact.target-file-size`.
 * Only fields that the policies allow are heard, and no floor is ever passed by. What is not heard
 * is told with its reason; it never keeps the table from being maintained.
 */
import { assertNever } from '../errors.ts';
import { formatDuration, parseBytes, parseDuration } from '../units.ts';
import { FIELDS, type Field, type FieldType, fieldPath } from './fields.ts';
import { TAGS_PROPERTY, type TableProperties } from './match.ts';
import {
  type IgnoredProperty,
  type MaintenanceSettings,
  type Origin,
  type PartialSettings,
  SECTIONS,
} from './policy.ts';

const PREFIX = 'icewright.';
/** Switches everything off at once; `enabled` in `allow`. */
const ENABLED_PROPERTY = 'icewright.enabled';
/** Names that are no settings: tags, and what Icewright itself writes. */
const OTHERS = [TAGS_PROPERTY, 'icewright.cluster-by', 'icewright.model', 'icewright.model-digest'];
/** Fields that no table may decide about itself. */
const NEVER = ['overrides.allow', 'properties.set', 'cadence.window'];

export interface Overrides {
  readonly settings: PartialSettings;
  readonly origins: Readonly<Record<string, Origin>>;
  readonly ignored: readonly IgnoredProperty[];
}

/** @param settings as the policies alone give them: their `overrides.allow` decides */
export function applyOverrides(
  properties: TableProperties,
  settings: MaintenanceSettings,
): Overrides {
  const { allow } = settings.overrides;
  const found: Record<string, Record<string, unknown>> = {};
  const origins: Record<string, Origin> = {};
  const ignored: IgnoredProperty[] = [];
  const put = (section: string, name: string, value: unknown, property: string) => {
    found[section] = { ...found[section], [name]: value };
    const place = `table property ${property}`;
    origins[`${section}.${name}`] = { policy: place, file: place, line: 0 };
  };
  for (const property of namesOf(properties)) {
    const value = properties[property] as string;
    const read = readOverride(property, value, allow);
    if (read.kind === 'ignored') ignored.push({ property, value, because: read.because });
    else if (read.kind === 'all_off') {
      for (const section of SECTIONS) {
        if ('enabled' in settings[section]) put(section, 'enabled', false, property);
      }
    } else put(read.field.section, read.field.name, read.value, property);
  }
  // Put together key by key from FIELDS, which is what makes the keys and values fit.
  return { settings: found as PartialSettings, origins, ignored };
}

/** `icewright.enabled` last: where a table switches itself off, nothing is left on. */
function namesOf(properties: TableProperties): readonly string[] {
  const names = Object.keys(properties).filter(
    (name) => name.startsWith(PREFIX) && !OTHERS.includes(name) && name !== ENABLED_PROPERTY,
  );
  return [...names.sort(), ...(ENABLED_PROPERTY in properties ? [ENABLED_PROPERTY] : [])];
}

type ReadOverride =
  | { readonly kind: 'field'; readonly field: Field; readonly value: unknown }
  | { readonly kind: 'all_off' }
  | { readonly kind: 'ignored'; readonly because: string };

function readOverride(property: string, text: string, allow: readonly string[]): ReadOverride {
  const ignored = (because: string): ReadOverride => ({ kind: 'ignored', because });
  if (property === ENABLED_PROPERTY) {
    if (!allows(allow, 'enabled')) return ignored(notAllowed('enabled'));
    if (text.trim() === 'false') return { kind: 'all_off' };
    return ignored('only "false" means something here: it switches every operation off');
  }
  const field = FIELDS.find((one) => propertyOf(one) === property);
  if (field === undefined) return ignored('there is no such setting');
  const path = fieldPath(field);
  if (NEVER.includes(path)) return ignored(`no table may decide ${path} for itself`);
  if (!allows(allow, path)) return ignored(notAllowed(path));
  const read = readText(field.type, text.trim());
  if ('fault' in read) return ignored(read.fault);
  return { kind: 'field', field, value: read.value };
}

function notAllowed(path: string): string {
  return `no policy allows it: overrides: {allow: [${path}]} would`;
}

/** `compact.targetFileSize` → `icewright.compact.target-file-size`. */
export function propertyOf(field: Field): string {
  return PREFIX + fieldPath(field).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Whether `path` is in the list, or one of its globs covers it. */
export function allows(allow: readonly string[], path: string): boolean {
  return allow.some((entry) => {
    const parts = entry.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(path);
  });
}

/** A sentence when no field is meant by an entry of `overrides.allow`; `null`: it is sound. */
export function faultInAllowed(entry: string): string | null {
  const paths = ['enabled', ...FIELDS.map(fieldPath)].filter((path) => !NEVER.includes(path));
  if (paths.some((path) => allows([entry], path))) return null;
  if (NEVER.includes(entry)) return `"${entry}": no table may decide that for itself`;
  return `"${entry}" is no field: write for example compact.targetFileSize, compact.* or enabled`;
}

type ReadText = { readonly value: unknown } | { readonly fault: string };

/** The same limits as the files have; texts as table properties are. */
function readText(type: FieldType, text: string): ReadText {
  switch (type.kind) {
    case 'flag':
      if (text === 'true' || text === 'false') return { value: text === 'true' };
      return { fault: 'it must be true or false' };
    case 'choice':
      return type.of.includes(text) ? { value: text } : { fault: `one of ${type.of.join(', ')}` };
    case 'size':
    case 'duration':
      return readUnit(type, text);
    case 'count':
      return readNumber(text, /^\d{1,9}$/, type.min, type.max);
    case 'share':
      return readNumber(text, /^\d+(\.\d+)?$/, 0, 1);
    case 'names': {
      const names = text.split(',').map((name) => name.trim());
      return names.every((name) => name !== '')
        ? { value: names }
        : { fault: 'it must be names with commas between them' };
    }
    case 'pairs':
    case 'trigger':
    case 'window':
      return { fault: 'a table property cannot hold this setting' };
    default:
      return assertNever(type);
  }
}

function readUnit(
  type: Extract<FieldType, { readonly kind: 'size' | 'duration' }>,
  text: string,
): ReadText {
  try {
    if (type.kind === 'size') {
      const value = parseBytes(text);
      return value >= type.minBytes ? { value } : { fault: 'it is at least 1MB' };
    }
    const value = parseDuration(text);
    if (value >= type.minMs) return { value };
    const why = type.floor === undefined ? '' : `: ${type.floor}`;
    return { fault: `it is below the floor of ${formatDuration(type.minMs)}${why}` };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

function readNumber(text: string, pattern: RegExp, min: number, max: number): ReadText {
  const value = Number(text);
  if (pattern.test(text) && value >= min && value <= max) return { value };
  return { fault: `it must be a number from ${min} to ${max}` };
}
