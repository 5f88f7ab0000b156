/** The lake as configured: the catalog, and files from the object store. No engine. */
import type { FileWalk } from './activities/erasure/deps.ts';
import type { ManifestCache } from './activities/ports.ts';
import type { TableFiles } from './activities/table-files.ts';
import type { Config } from './config.ts';
import { placesOf } from './domain/orphans/places.ts';
import { tableKey } from './domain/table.ts';
import { checkReach, type ReachStore, readReach, readVersion } from './iceberg/reach.ts';
import { visitReachable } from './iceberg/reachable.ts';
import { createRestCatalog, type RestCatalog } from './iceberg/rest-catalog.ts';
import { readTableUuid } from './iceberg/table-uuid.ts';
import { createObjectStore, type ObjectStore } from './storage/object-store.ts';

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

/** What tables reach, and what lies in the store. Deletes nothing but by exact address. */
export function openTableFiles({ storage }: Config, catalog: RestCatalog): TableFiles {
  const store = createObjectStore(storage);
  const reach = reachStore(store);
  return {
    version: (table) => readVersion(catalog, table),
    reach: (table) => readReach(catalog, reach, table),
    check: (table, snapshotId) => checkReach(catalog, reach, table, snapshotId),
    places: async (table) => {
      const { metadata } = await catalog.loadTable(table, { snapshots: 'refs' });
      const { location, properties } = metadata;
      return { table: tableKey(table), places: placesOf(location, properties) };
    },
    list: store.list,
    head: store.head,
    readTableUuid: (uri) => readTableUuid(store, uri),
    remove: (uris) => store.delete(uris.map((uri) => ({ uri }))),
  };
}

/** Every file of every ref and snapshot, with what it is. */
export function openFileWalk({ storage }: Config, catalog: RestCatalog): FileWalk {
  const { readObject } = reachStore(createObjectStore(storage));
  return {
    visit: async (table, visit, only) => {
      const { metadata, metadataLocation, snapshotId } = await readVersion(catalog, table);
      await visitReachable({ metadata, metadataLocation, readObject, snapshotId: only }, visit);
      return { snapshotId };
    },
  };
}

function reachStore(store: ObjectStore): ReachStore {
  return { readObject: store.get, list: store.list, head: store.head };
}
