/** What a session's settings must become: pure. */

/**
 * Setting in which a session remembers what statements changed in it, and what was there before.
 */
export const MARKER = 'icewright.statement-settings';

/** Name → value before any statement set it; `null`: it was not set. */
type Originals = Readonly<Record<string, string | null>>;

/** The change that puts exactly the wanted settings in force; empty when they already are. */
export interface SettingsChange {
  readonly unset: readonly string[];
  readonly set: Readonly<Record<string, string>>;
}

/**
 * @param current values in the session now, of {@link MARKER} and of every wanted name (absent:
 * not set). They are read from the session itself, because another process may have used it.
 * @param wanted the statement's settings
 *
 * Settings that an earlier statement changed and this one does not want get back the value they
 * had. Apply `unset` before `set`: the marker is part of `set`, so that a process that dies in
 * between leaves one that still names everything that may be changed.
 */
export function planSettings(
  current: Readonly<Record<string, string | undefined>>,
  wanted: Readonly<Record<string, string>>,
): SettingsChange {
  const before = parseOriginals(current[MARKER]);
  const originals: Record<string, string | null> = {};
  const set: Record<string, string> = {};
  for (const name of Object.keys(wanted).sort()) {
    originals[name] = Object.hasOwn(before, name)
      ? (before[name] ?? null)
      : (current[name] ?? null);
    const value = wanted[name] as string;
    if (current[name] !== value) set[name] = value;
  }
  const unset: string[] = [];
  for (const [name, value] of Object.entries(before)) {
    if (Object.hasOwn(wanted, name)) continue;
    if (value === null) unset.push(name);
    else set[name] = value;
  }
  const marker = JSON.stringify(originals);
  if (marker === (current[MARKER] ?? '{}')) return { unset, set };
  return { unset, set: { ...set, [MARKER]: marker } };
}

function parseOriginals(text: string | undefined): Originals {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Originals;
  } catch {
    return {};
  }
}
