/** The lake as configured: the catalog, and manifests from the object store. No engine. */
import type { Config } from './config.ts';
import { createRestCatalog, type RestCatalog } from './iceberg/rest-catalog.ts';
import { createObjectStore } from './storage/object-store.ts';

export function openCatalog({ catalog, storage }: Config): RestCatalog {
  const store = createObjectStore(storage);
  return createRestCatalog({
    name: catalog.name,
    url: catalog.url,
    warehouse: catalog.warehouse,
    token: catalog.token,
    credential: catalog.credential,
    oauth2Url: catalog.oauth2Url,
    scope: catalog.scope,
    readObject: (uri, maxBytes) => store.get(uri, maxBytes),
  });
}
