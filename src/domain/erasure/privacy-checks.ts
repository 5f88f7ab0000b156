/** What must hold across a privacy policy, beyond the shape of its parts. */
import type { Model } from '../model/model.ts';
import { tableKey } from '../table.ts';
import type { Identifier, PrivacyPolicy, Subject, TableMapping } from './privacy.ts';

/** A fault, with the place in the document that it is about. */
export interface PrivacyFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Faults of the policy by itself. */
export function checkPrivacy(policy: PrivacyPolicy): readonly PrivacyFault[] {
  return policy.subjects.flatMap(checkSubject);
}

function checkSubject(subject: Subject): readonly PrivacyFault[] {
  const at = ['subjects', subject.name];
  const known = new Map(subject.identifiers.map((one) => [one.name, one]));
  const faults: PrivacyFault[] = [];
  const key = known.get(subject.key);
  if (key === undefined) {
    faults.push({ path: [...at, 'key'], message: `"${subject.key}" is none of the identifiers` });
  } else if (!key.links) {
    faults.push({ path: [...at, 'key'], message: `"${subject.key}" must have "links: true"` });
  }
  const seen = new Set<string>();
  for (const [index, mapping] of subject.tables.entries()) {
    const place = [...at, 'tables', index];
    if (seen.has(mapping.table)) {
      faults.push({ path: [...place, 'table'], message: `${mapping.table} is mapped twice` });
    }
    seen.add(mapping.table);
    faults.push(...checkMapping(mapping, known, place));
  }
  return [...faults, ...unreached(subject, at)];
}

function checkMapping(
  { match, holds }: TableMapping,
  known: ReadonlyMap<string, Identifier>,
  place: readonly (string | number)[],
): readonly PrivacyFault[] {
  const unknown = (section: string, names: readonly string[]) =>
    names
      .filter((name) => !known.has(name))
      .map((name) => ({
        path: [...place, section, name],
        message: `"${name}" is none of the identifiers: ${[...known.keys()].join(', ')}`,
      }));
  const loose = Object.keys(match)
    .filter((name) => known.get(name)?.links === false)
    .map((name) => ({
      path: [...place, 'match', name],
      message: `rows cannot match by "${name}": it has no "links: true"`,
    }));
  return [
    ...unknown('match', Object.keys(match)),
    ...unknown('holds', Object.keys(holds)),
    ...loose,
  ];
}

/** A linking identifier that no reachable row tells would never be known. */
function unreached(subject: Subject, at: readonly (string | number)[]): readonly PrivacyFault[] {
  const reached = reachedIdentifiers(subject);
  return subject.identifiers
    .filter((one) => one.links && !reached.has(one.name))
    .map(({ name }) => ({
      path: [...at, 'identifiers', name],
      message: `no table that matches by a known identifier holds "${name}": it stays unknown`,
    }));
}

/** From the key, along rows that match, to what those rows hold. */
function reachedIdentifiers(subject: Subject): ReadonlySet<string> {
  const links = new Set(subject.identifiers.filter((one) => one.links).map((one) => one.name));
  const reached = new Set([subject.key]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const { match, holds } of subject.tables) {
      if (!Object.keys(match).some((name) => reached.has(name) && links.has(name))) continue;
      for (const name of [...Object.keys(match), ...Object.keys(holds)]) reached.add(name);
    }
  }
  return reached;
}

/** Models with personal columns whose target no subject maps: nobody would erase there. */
export function uncoveredModels(
  policies: readonly PrivacyPolicy[],
  models: readonly Model[],
): readonly { readonly model: string; readonly columns: readonly string[] }[] {
  const mapped = new Set(
    policies
      .flatMap(({ subjects }) => subjects.flatMap(({ tables }) => tables))
      .map((t) => t.table),
  );
  return models.flatMap(({ name, target, columns }) => {
    const personal = columns.filter((column) => column.pii !== 'none').map((column) => column.name);
    if (personal.length === 0 || mapped.has(tableKey(target))) return [];
    return [{ model: name, columns: personal }];
  });
}
