"""The outside oracle of an erasure: decodes files and counts where sought values still are.

Shares nothing with Icewright: PyArrow reads Parquet, the few lines below read Avro, and everything is
searched as bytes besides. {"files": [[path, name], ...], "texts": {label: text},
"numbers": {label: number}, "columns": [names of columns that hold the numbers]} answers
[[index of the file, label, where], ...].
"""

import base64
import gzip
import io
import json
import re
import struct
import sys
import zlib
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.parquet as pq

REQUEST = json.load(sys.stdin)
TEXTS = REQUEST["texts"]
NUMBERS = {label: int(value) for label, value in REQUEST["numbers"].items()}
COLUMNS = set(REQUEST["columns"])
# As Parquet and Iceberg write a long: long enough to stand nowhere by chance.
PACKED = {label: struct.pack("<q", number) for label, number in NUMBERS.items()}
# Parts of a column's path that are not its name.
WRAPPERS = {"list", "element", "array", "bag", "key_value", "key", "value"}


def forms(text):
    raw = text.encode()
    yield raw.lower()
    yield text.encode("utf-16-le").lower()
    yield raw.hex().encode()
    for one in (quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]):
        yield one.lower().encode()


FORMS = {label: set(forms(text)) for label, text in TEXTS.items()}
BASE64 = {
    label: {base64.b64encode(b"\0" * pad + text.encode())[(4 if pad else 0) : -4] for pad in range(3)}
    for label, text in TEXTS.items()
}


class Scan:
    def __init__(self):
        self.found = set()

    def bytes(self, data, where):
        lower = data.lower()
        for label, needles in FORMS.items():
            if any(one in lower for one in needles):
                self.found.add((label, where))
        for label, needles in BASE64.items():
            if any(len(one) >= 8 and one in data for one in needles):
                self.found.add((label, where))

    def text(self, text, where):
        self.bytes(text.encode("utf-8", "surrogatepass"), where)
        for name in COLUMNS:
            for label, number in NUMBERS.items():
                # Also in JSON inside JSON, whose quotation marks are escaped.
                field = rf'"{name}\\*"\s*:\s*\\*"?0*{number}(?!\d)'
                if re.search(rf"{field}|{name}={number}(?!\d)", text):
                    self.found.add((label, where))

    def packed(self, data, where):
        for label, number in PACKED.items():
            if number in data:
                self.found.add((label, where))

    def number(self, value, where):
        for label, number in NUMBERS.items():
            if value == number or value == str(number):
                self.found.add((label, where))

    def value(self, name, value, where):
        if isinstance(value, dict):
            for key, part in value.items():
                self.value(key, part, where)
        elif isinstance(value, (list, tuple)):
            for part in value:
                self.value(name, part, where)
        elif isinstance(value, str):
            self.text(value, where)
            if name in COLUMNS:
                self.number(value, where)
        elif isinstance(value, bytes):
            self.bytes(value, where)
            self.packed(value, where)
        elif name in COLUMNS and value is not None:
            self.number(value, where)

    def bound(self, name, kind, value, where):
        """Iceberg's single-value encoding; texts may be cut."""
        self.bytes(value, where)
        if kind in ("int", "long") and name in COLUMNS:
            self.number(int.from_bytes(value, "little", signed=True), where)
        for label, text in TEXTS.items():
            for size in range(6, len(text)):
                cut = text[:size]
                raised = cut[:-1] + chr(ord(cut[-1]) + 1)
                if value.lower() in (cut.lower().encode(), raised.lower().encode()):
                    self.found.add((label, where))


def scan_parquet(data, scan):
    parquet = pq.ParquetFile(io.BytesIO(data))
    meta = parquet.metadata
    for key, value in (meta.metadata or {}).items():
        scan.bytes(key + b" " + value, "properties")
    for group in range(meta.num_row_groups):
        for column in range(meta.num_columns):
            chunk = meta.row_group(group).column(column)
            if chunk.statistics is not None and chunk.statistics.has_min_max:
                parts = [one for one in chunk.path_in_schema.split(".") if one not in WRAPPERS]
                scan.value(parts[-1] if parts else "", [chunk.statistics.min, chunk.statistics.max], "statistics")
    # Page indexes, and whatever else is not packed.
    scan.packed(data, "bytes")
    for batch in parquet.iter_batches(batch_size=10_000):
        for name, column in zip(batch.schema.names, batch.columns):
            if pa.types.is_dictionary(column.type):
                column = column.dictionary
            scan.value(name, column.to_pylist(), "rows")
    # Dictionaries as they stand there, with what no row uses any more.
    texts = [one.name for one in parquet.schema_arrow if pa.types.is_string(one.type) or pa.types.is_binary(one.type)]
    for batch in pq.ParquetFile(io.BytesIO(data), read_dictionary=texts).iter_batches(batch_size=10_000, columns=texts):
        for name, column in zip(batch.schema.names, batch.columns):
            if pa.types.is_dictionary(column.type):
                scan.value(name, column.dictionary.to_pylist(), "dictionary")


class Avro:
    def __init__(self, data):
        self.data, self.at = data, 4
        meta = {}
        while (count := self.long()) != 0:
            if count < 0:
                self.long()
            for _ in range(abs(count)):
                key = self.take().decode()
                meta[key] = self.take()
        self.meta, self.names = meta, {}
        self.at += 16
        self.schema = json.loads(meta["avro.schema"])

    def long(self):
        shift = value = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return (value >> 1) ^ -(value & 1)

    def take(self, size=None):
        size = self.long() if size is None else size
        self.at += size
        return self.data[self.at - size : self.at]

    def blocks(self):
        codec = self.meta.get("avro.codec", b"null")
        while self.at < len(self.data):
            count, packed = self.long(), self.take()
            self.at += 16
            if codec == b"deflate":
                packed = zlib.decompress(packed, -15)
            elif codec == b"zstandard":
                packed = pa.input_stream(io.BytesIO(packed), compression="zstd").read()
            elif codec != b"null":
                raise ValueError(codec)
            yield count, packed

    def records(self):
        for count, data in self.blocks():
            part = object.__new__(Avro)
            part.data, part.at, part.names = data, 0, self.names
            for _ in range(count):
                yield part.read(self.schema)

    def read(self, schema):
        if isinstance(schema, list):
            return self.read(schema[self.long()])
        if isinstance(schema, str) and schema in self.names:
            schema = self.names[schema]
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(kind, (dict, list)):
            return self.read(kind)
        if isinstance(schema, dict) and "name" in schema:
            self.names[schema["name"]] = schema
        if kind == "record":
            return {one["name"]: self.read(one["type"]) for one in schema["fields"]}
        if kind in ("array", "map"):
            items = []
            while (count := self.long()) != 0:
                if count < 0:
                    self.long()
                for _ in range(abs(count)):
                    key = self.take() if kind == "map" else None
                    value = self.read(schema["items"] if kind == "array" else schema["values"])
                    items.append(value if kind == "array" else (key, value))
            return items
        if kind == "null":
            return None
        if kind in ("int", "long", "enum"):
            return self.long()
        if kind == "string":
            return self.take().decode()
        if kind == "bytes":
            return self.take()
        return self.take({"boolean": 1, "float": 4, "double": 8, "fixed": schema["size"] if kind == "fixed" else 0}[kind])


def fields_of(schema, found):
    for one in schema.get("fields", []):
        kind = one["type"]
        found[one["id"]] = (one["name"], kind if isinstance(kind, str) else "")
        if isinstance(kind, dict):
            fields_of(kind, found)
            if "element-id" in kind:
                found[kind["element-id"]] = (one["name"], kind["element"])
    return found


def scan_avro(data, scan):
    avro = Avro(data)
    for value in avro.meta.values():
        scan.bytes(value, "properties")
    fields = fields_of(json.loads(avro.meta.get("schema", b"{}")), {})
    for record in avro.records():
        file = record.get("data_file")
        if not isinstance(file, dict):
            scan.value("", record, "list or rows")
            continue
        scan.text(file["file_path"], "path")
        scan.value("", file["partition"], "partition")
        for side in ("lower_bounds", "upper_bounds"):
            for pair in file.get(side) or []:
                scan.bound(*fields.get(pair["key"], ("", "")), pair["value"], "bounds")


def scan_file(path, name):
    scan = Scan()
    scan.text(name, "name")
    if path is None:
        return scan.found
    with open(path, "rb") as file:
        data = file.read()
    scan.bytes(data, "bytes")
    if data[:4] == b"PAR1":
        scan_parquet(data, scan)
    elif data[:4] == b"Obj\x01":
        scan_avro(data, scan)
    elif data[:2] == b"\x1f\x8b":
        scan.text(gzip.decompress(data).decode("utf-8", "replace"), "unpacked")
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        plain = pa.input_stream(io.BytesIO(data), compression="zstd").read()
        scan.text(plain.decode("utf-8", "replace"), "unpacked")
    elif data[:1] == b"{":
        scan.text(data.decode("utf-8", "replace"), "json")
    return scan.found


def main():
    found = []
    for index, (path, name) in enumerate(REQUEST["files"]):
        found += [[index, label, where] for label, where in sorted(scan_file(path, name))]
    json.dump(found, sys.stdout)


main()
