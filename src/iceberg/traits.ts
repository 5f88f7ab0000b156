import type { CatalogTraits } from '../domain/catalog-traits.ts';
import type { RestClient } from './rest-client.ts';

/** How the specification writes the endpoint that every commit to a table goes to. */
const COMMIT = 'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}';

/**
 * What the catalog's own answers say of it. Its endpoints come with its configuration, which is
 * read once.
 * @param etag that came with a table; `null`: none came
 */
export async function readTraits(
  client: Pick<RestClient, 'endpoints'>,
  etag: string | null,
): Promise<CatalogTraits> {
  const endpoints = await client.endpoints();
  return {
    sendsEtags: etag !== null,
    // A catalog that lists none has, by the specification, at least this one.
    acceptsCommits: endpoints === null || endpoints.includes(COMMIT),
    trinoFloors: null,
  };
}
