/** The lake as configured: the catalog, and manifests from the object store. No engine. */
import type { ManifestCache } from './activities/ports.ts';
import type { Config } from './config.ts';
import { createRestCatalog, type RestCatalog } from './iceberg/rest-catalog.ts';
import { createObjectStore } from './storage/object-store.ts';

/** @param manifests what is known of manifests from earlier processes; default: nothing */
export function openCatalog({ catalog, storage }: Config, manifests?: ManifestCache): RestCatalog {
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
    manifests,
  });
}
