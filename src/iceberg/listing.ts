import { NAMESPACES, type Shape, TABLES } from './metadata.schema.ts';
import { parseBody, type RestAnswer, type RestClient } from './rest-client.ts';

const PAGE_SIZE = 1_000;
/** A server that never stops giving pages is at fault; this is a million entries. */
const MAX_PAGES = 1_000;
/** Deeper namespaces than any catalog is known to use. */
const MAX_DEPTH = 8;

/** All namespaces of all levels, parents before children. */
export async function listNamespaces(client: RestClient): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  const visit = async (parent: readonly string[]): Promise<void> => {
    const query =
      parent.length === 0 ? {} : { parent: decodeURIComponent(await client.namespacePath(parent)) };
    const pages = await allPages(client, 'namespaces', query, NAMESPACES, parent.length > 0);
    for (const levels of pages.flatMap((page) => page.namespaces)) {
      // A name that cannot be written as `a.b` and read back cannot be worked on.
      if (levels.length !== parent.length + 1 || levels.some((one) => one.includes('.'))) continue;
      found.push(levels);
      if (levels.length < MAX_DEPTH) await visit(levels);
    }
  };
  await visit([]);
  return found;
}

/** Names of the tables of one namespace; none when it was dropped meanwhile. */
export async function listTablesIn(
  client: RestClient,
  levels: readonly string[],
): Promise<readonly string[]> {
  const path = `namespaces/${await client.namespacePath(levels)}/tables`;
  const pages = await allPages(client, path, {}, TABLES, true);
  return pages.flatMap((page) => page.identifiers.map((one) => one.name));
}

interface Page {
  readonly 'next-page-token'?: string | null | undefined;
}

async function allPages<T extends Page>(
  client: RestClient,
  path: string,
  query: Readonly<Record<string, string>>,
  shape: Shape<T>,
  mayBeMissing: boolean,
): Promise<readonly T[]> {
  const pages: T[] = [];
  // An empty token asks the server to begin paging.
  let pageToken = '';
  do {
    const answer: RestAnswer = await client.send(path, {
      query: { ...query, pageToken, pageSize: String(PAGE_SIZE) },
    });
    // Some catalogs have one level only and call a namespace without children missing.
    if (answer.status === 404 && mayBeMissing) return pages;
    const page = parseBody(shape, answer, `${client.url} (${path})`);
    pages.push(page);
    pageToken = page['next-page-token'] ?? '';
  } while (pageToken !== '' && pages.length < MAX_PAGES);
  return pages;
}
