"""PyIceberg for tests and benchmarks: one JSON request on stdin, one JSON answer on stdout.

{"command": "inspect", "tables": ["a.t"]}          what its metadata tables say of the head
{"command": "measure", "tables": ["a.t"]}          milliseconds of load + inspect.files, each
{"command": "verify", "tables": ["a.t"]}           rows of the head, and files of any snapshot that are missing
{"command": "append", "table": "a.t", "times": 3}  so many commits of one row
{"command": "craft", "table": "a.t", "files": 50, "manifests": 1, "bytes": 1000, "equality": 0}
    a snapshot whose manifests list files that are not there: readers of metadata do not mind
{"command": "floor", "table": "a.t"}               seconds to read every file and write its rows again
"""

import json
import os
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from pyarrow import parquet
from pyarrow.fs import S3FileSystem
from pyiceberg.catalog import load_catalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.schema import Schema
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.table.update import AddSnapshotUpdate, AssertTableUUID, SetSnapshotRefUpdate
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType, TimestamptzType

CATALOG = load_catalog(
    "lake",
    **{
        "type": "rest",
        "uri": os.environ["ICEWRIGHT_CATALOG_URL"],
        "token": os.environ["ICEWRIGHT_CATALOG_TOKEN"],
        "warehouse": os.environ.get("ICEWRIGHT_CATALOG_WAREHOUSE", ""),
        "s3.endpoint": os.environ["ICEWRIGHT_S3_ENDPOINT"],
        "s3.region": os.environ["ICEWRIGHT_S3_REGION"],
        "s3.access-key-id": os.environ["ICEWRIGHT_S3_ACCESS_KEY_ID"],
        "s3.secret-access-key": os.environ["ICEWRIGHT_S3_SECRET_ACCESS_KEY"],
    },
)
COLUMNS = 6
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "customer_id", LongType(), required=False),
    NestedField(3, "at", TimestamptzType(), required=False),
    NestedField(4, "status", StringType(), required=False),
    NestedField(5, "amount", LongType(), required=False),
    NestedField(6, "note", StringType(), required=False),
)


class WholeManifest(ManifestWriterV2):
    """Writes one block, as Java's writers do, and not one for each entry."""

    def __init__(self, *args, kind=ManifestContent.DATA):
        super().__init__(*args)
        self.kind = kind
        self.pending = []

    def content(self):
        return self.kind

    @property
    def _meta(self):
        return {**super()._meta, "content": "data" if self.kind == ManifestContent.DATA else "deletes"}

    def prepare_entry(self, entry):
        self.pending.append(super().prepare_entry(entry))
        return None

    def __enter__(self):
        super().__enter__()
        self.write = self._writer.write_block
        self._writer.write_block = lambda _entries: None
        return self

    def __exit__(self, *failure):
        self.write(self.pending)
        super().__exit__(*failure)


def inspect(name):
    table = CATALOG.load_table(name)
    empty = table.current_snapshot() is None
    files = [] if empty else table.inspect.files().to_pylist()
    return {
        "files": [[f["content"], f["record_count"], f["file_size_in_bytes"]] for f in files],
        "manifests": 0 if empty else table.inspect.manifests().num_rows,
        "snapshots": [str(s.snapshot_id) for s in table.metadata.snapshots],
        "refs": sorted([n, str(r.snapshot_id)] for n, r in table.metadata.refs.items()),
        "head": None if empty else str(table.current_snapshot().snapshot_id),
    }


def measure(name):
    begin = time.perf_counter()
    table = CATALOG.load_table(name)
    loaded = time.perf_counter()
    files = table.inspect.files().num_rows
    return {"files": files, "loadMs": (loaded - begin) * 1e3, "filesMs": (time.perf_counter() - loaded) * 1e3}


def verify(name):
    table = CATALOG.load_table(name)
    paths, missing = set(), set()

    def there(path):
        paths.add(path)
        if not table.io.new_input(path).exists():
            missing.add(path)
        return path not in missing

    for snapshot in table.metadata.snapshots:
        if not there(snapshot.manifest_list):
            continue
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in paths or not there(manifest.manifest_path):
                continue
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                there(entry.data_file.file_path)
    try:
        rows = 0 if table.current_snapshot() is None else table.scan().to_arrow().num_rows
    except OSError:
        rows = None
    return {"rows": rows, "files": len(paths), "missing": sorted(missing)}


def append(name, times):
    table = CATALOG.load_table(name)
    schema = table.schema().as_arrow()
    row = pa.Table.from_pylist([{"id": 1}], schema=schema)
    for _ in range(times):
        table.append(row)


def le(value):
    return value.to_bytes(8, "little", signed=True)


def data_file(table, number, size, content):
    day = 86_400_000_000
    low = {1: le(number * 1000), 2: le(number % 97), 3: le(20_000 * day + number), 4: b"delivered", 5: le(1), 6: b"a note of some kin"}
    high = {1: le(number * 1000 + 999), 2: le(10_000), 3: le(20_001 * day + number), 4: b"shipped", 5: le(90_000), 6: b"zz top of the worl"}
    counts = lambda base: {column: base + column for column in range(1, COLUMNS + 1)}
    return DataFile.from_args(
        _table_format_version=2,
        content=content,
        file_path=f"{table.location()}/data/00000-{number}-{uuid.uuid4()}-00001.parquet",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1000 + number % 7,
        file_size_in_bytes=size + (number * 7919) % 100_000,
        column_sizes=counts(100 + number % 50),
        value_counts=counts(1000),
        null_value_counts=counts(0),
        nan_value_counts={},
        lower_bounds=low,
        upper_bounds=high,
        key_metadata=None,
        split_offsets=[4],
        # PyIceberg would write them as long, which Java's readers refuse; none of ours needs them.
        equality_ids=None,
        sort_order_id=None,
    )


def write_manifest(table, snapshot_id, numbers, size, content):
    kind = ManifestContent.DATA if content == DataFileContent.DATA else ManifestContent.DELETES
    output = table.io.new_output(f"{table.location()}/metadata/{uuid.uuid4()}-m0.avro")
    writer = WholeManifest(table.spec(), table.schema(), output, snapshot_id, "gzip", kind=kind)
    with writer:
        for number in numbers:
            writer.add(
                ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED,
                    snapshot_id=snapshot_id,
                    data_file=data_file(table, number, size, content),
                )
            )
    return writer.to_manifest_file()


def craft(name, files, manifests, size, equality):
    if not CATALOG.table_exists(name):
        CATALOG.create_table(name, SCHEMA, properties={"format-version": "2"})
    table = CATALOG.load_table(name)
    parent = table.current_snapshot()
    # Small enough for readers that know no integers beyond 2^53.
    snapshot_id = uuid.uuid4().int >> 76
    sequence = table.metadata.last_sequence_number + 1
    start = 0 if parent is None else 1_000_000
    each = max(1, files // manifests)
    made = [
        write_manifest(table, snapshot_id, range(start + at, start + at + each), size, DataFileContent.DATA)
        for at in range(0, files, each)
    ]
    if equality > 0:
        made.append(write_manifest(table, snapshot_id, range(equality), 500, DataFileContent.EQUALITY_DELETES))
    kept = [] if parent is None else parent.manifests(table.io)
    path = f"{table.location()}/metadata/snap-{snapshot_id}-{uuid.uuid4()}.avro"
    output = table.io.new_output(path)
    with write_manifest_list(2, output, snapshot_id, None if parent is None else parent.snapshot_id, sequence, "gzip") as writer:
        writer.add_manifests(made + kept)
    snapshot = Snapshot(
        snapshot_id=snapshot_id,
        parent_snapshot_id=None if parent is None else parent.snapshot_id,
        sequence_number=sequence,
        timestamp_ms=int(time.time() * 1000),
        manifest_list=path,
        summary=Summary(Operation.APPEND),
        schema_id=table.metadata.current_schema_id,
    )
    update = SetSnapshotRefUpdate(ref_name="main", type="branch", snapshot_id=snapshot_id)
    CATALOG.commit_table(table, (AssertTableUUID(uuid=table.metadata.table_uuid),), (AddSnapshotUpdate(snapshot=snapshot), update))
    return sum(one.manifest_length for one in made)


def floor(name):
    """One file for each partition, on all cores, at zstd level 1; what was written is deleted."""
    groups = {}
    for task in CATALOG.load_table(name).scan().plan_files():
        groups.setdefault(str(task.file.partition), []).append(task.file.file_path[len("s3://"):])
    endpoint = os.environ["ICEWRIGHT_S3_ENDPOINT"]
    store = S3FileSystem(
        access_key=os.environ["ICEWRIGHT_S3_ACCESS_KEY_ID"],
        secret_key=os.environ["ICEWRIGHT_S3_SECRET_ACCESS_KEY"],
        region=os.environ["ICEWRIGHT_S3_REGION"],
        endpoint_override=endpoint.split("://")[1],
        scheme=endpoint.split("://")[0],
    )
    bucket = next(iter(groups.values()))[0].split("/")[0]
    # As many tasks as an engine would have: a partition's files in two halves.
    halves = [paths[at::2] for paths in groups.values() for at in (0, 1)]
    targets = [f"{bucket}/floor/{uuid.uuid4()}.parquet" for _ in halves]

    def rewrite(paths, target):
        with store.open_output_stream(target) as out:
            writer = None
            for path in paths:
                rows = parquet.ParquetFile(store.open_input_file(path)).read(use_threads=False)
                if writer is None:
                    writer = parquet.ParquetWriter(out, rows.schema, compression="zstd", compression_level=1)
                writer.write_table(rows)
            if writer is not None:
                writer.close()

    begin = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(rewrite, halves, targets))
    seconds = time.perf_counter() - begin
    for target in targets:
        store.delete_file(target)
    return seconds


def main():
    request = json.load(sys.stdin)
    command = request["command"]
    if command == "inspect":
        answer = {name: inspect(name) for name in request["tables"]}
    elif command == "measure":
        answer = [measure(name) for name in request["tables"]]
    elif command == "verify":
        answer = {name: verify(name) for name in request["tables"]}
    elif command == "append":
        answer = append(request["table"], request["times"])
    elif command == "floor":
        answer = floor(request["table"])
    else:
        answer = [
            craft(one["table"], one["files"], one["manifests"], one["bytes"], one.get("equality", 0))
            for one in request["tables"]
        ]
    json.dump(answer, sys.stdout)


main()
