"""Files that still hold a subject, each in one way only, written by PyArrow.

{"dir": path, "values": {"key", "email", "name", "session"}, "others": {"key", "email", "name"}}
writes two of each: `<name>.parquet` with the subject in one place, `<name>.clean.parquet` with
others only. Answers the names. Field ids are those of test/verify/fixture.ts.
"""

import decimal
import json
import os
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

REQUEST = json.load(sys.stdin)
DIR = REQUEST["dir"]
ROWS = 2000


def field(number, name, kind, **more):
    return pa.field(name, kind, metadata={"PARQUET:field_id": str(number)}, **more)


BEFORE = pa.struct([field(5, "customer_id", pa.int64()), field(6, "note", pa.string())])
SCHEMA = pa.schema(
    [
        field(1, "id", pa.int64()),
        field(2, "customer_id", pa.int64()),
        field(3, "email", pa.string()),
        field(4, "before", BEFORE),
        field(7, "after", pa.string()),
        field(8, "note", pa.string()),
        field(9, "ids", pa.list_(field(10, "element", pa.int64()))),
        field(11, "key_decimal", pa.decimal128(18, 0)),
        field(12, "key_text", pa.string()),
        field(13, "session", pa.string()),
        field(14, "payload", pa.binary()),
        field(15, "amount", pa.decimal128(12, 2)),
    ]
)


def row(index):
    key = 1_000_000 + index * 7
    return {
        "id": index,
        "customer_id": None if index % 11 == 0 else key,
        "email": f"user{index:06d}@example.org",
        "before": None if index % 5 == 0 else {"customer_id": key, "note": f"note {index % 40}"},
        "after": json.dumps({"customer_id": key, "order": {"n": index, "by": str(key)}}),
        "note": None if index % 3 == 0 else f"the note of {index % 97}",
        "ids": [] if index % 4 == 0 else [key, key + 1],
        "key_decimal": decimal.Decimal(key),
        "key_text": str(key),
        "session": f"sess-{index:05d}",
        "payload": bytes([index % 251]) * 9,
        "amount": decimal.Decimal(index) / 100,
    }


def rows_with(change, at=1234):
    rows = [row(index) for index in range(ROWS)]
    rows[at] = {**rows[at], **change}
    if "email" in change:
        # Front-coded, the value then shares its beginning with the one before.
        rows[at - 1]["email"] = change["email"][: len(change["email"]) // 2] + "~"
    return rows


def write(path, rows, schema=SCHEMA, **options):
    options = {"compression": "zstd", "use_dictionary": False, "write_statistics": False, "store_schema": False, **options}
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, **options)


def places(v):
    """Name -> what a row has there of the subject (or of another one)."""
    key = int(v["key"])
    return {
        "key": {"customer_id": key},
        "struct": {"before": {"customer_id": key, "note": "x"}},
        "list": {"ids": [1, key, 2]},
        "json-number": {"after": '{"a":[1,{"b":2}],"customer_id": %d}' % key},
        "json-text": {"after": '{"customer_id":"%d","x":null}' % key},
        "json-exponent": {"after": '{"customer_id":%se1}' % decimal.Decimal(key).scaleb(-1)},
        "json-escaped": {"after": '{"customer_id":"\\u003%s%s"}' % (v["key"][0], v["key"][1:])},
        "json-inside": {"after": json.dumps([{"customer_id": key}])},
        "decimal": {"key_decimal": decimal.Decimal(key)},
        "key-as-text": {"key_text": v["key"]},
        "session": {"session": v["session"]},
        "email": {"email": v["email"]},
        "email-capitals": {"email": v["email"].upper()},
        "email-in-note": {"note": f"call <{v['email']}>, please"},
        "name-in-note": {"before": {"customer_id": 5, "note": f"{v['name']}!"}},
        "name-in-json": {"after": json.dumps({"n": v["name"]})},
        "email-in-bytes": {"payload": b"\x00\x01" + v["email"].encode() + b"A"},
        "email-in-utf16": {"payload": v["email"].encode("utf-16-le")},
    }


LAYOUTS = {
    "plain-zstd": {},
    "plain-none": {"compression": "none"},
    "dictionary-snappy": {"use_dictionary": True, "compression": "snappy"},
    "dictionary-v2": {"use_dictionary": True, "data_page_version": "2.0", "compression": "gzip"},
    "dictionary-spilled": {"use_dictionary": True, "dictionary_pagesize_limit": 4000, "compression": "brotli"},
    "delta": {
        "data_page_version": "2.0",
        "column_encoding": {
            **{name: "DELTA_BINARY_PACKED" for name in ("id", "customer_id", "before.customer_id", "ids.list.element")},
            **{name: "DELTA_BYTE_ARRAY" for name in ("email", "after", "key_text", "session")},
            **{name: "DELTA_LENGTH_BYTE_ARRAY" for name in ("note", "before.note", "payload")},
        },
    },
    "delta-v1-lz4": {
        "compression": "lz4",
        "column_encoding": {
            "customer_id": "DELTA_BINARY_PACKED",
            "email": "DELTA_BYTE_ARRAY",
            "note": "DELTA_LENGTH_BYTE_ARRAY",
        },
    },
    "split": {"column_encoding": {name: "BYTE_STREAM_SPLIT" for name in ("customer_id", "key_decimal", "before.customer_id")}},
    "small-pages": {"data_page_size": 512, "row_group_size": 700, "write_page_checksum": True},
}


def row_files():
    made = []
    for layout, options in LAYOUTS.items():
        for name, change in places(REQUEST["values"]).items():
            write(f"{DIR}/{layout}.{name}.parquet", rows_with(change), **options)
            made.append([f"{layout}.{name}", name])
        clean = places(REQUEST["others"])
        rows = [row(index) for index in range(ROWS)]
        for at, change in enumerate(clean.values()):
            rows[100 + at] = {**rows[100 + at], **change}
        # Whoever reads bytes alone cannot know where a text ends.
        rows[100 + list(clean).index("email-in-bytes")]["payload"] = b"none"
        rows[100 + list(clean).index("email-in-utf16")]["payload"] = b"none"
        write(f"{DIR}/{layout}.clean.parquet", rows, **options)
    return made


def rest_files():
    """Where no row has it: properties, bounds, page index, a dictionary that no row uses."""
    v = REQUEST["values"]
    plain = [row(index) for index in range(300)]
    schema = SCHEMA.with_metadata({"made.by": f"{v['email']}"})
    pq.write_table(pa.Table.from_pylist(plain, schema=schema), f"{DIR}/property.parquet", compression="zstd", use_dictionary=False, write_statistics=False)
    # A dictionary array keeps values that no index points to.
    notes = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 150, pa.int32()), ["one", "two", v["email"]])
    table = pa.table({"note": notes}, schema=pa.schema([field(8, "note", notes.type)]))
    pq.write_table(table, f"{DIR}/unused-dictionary.parquet", store_schema=False, write_statistics=False)
    bounds = {
        "key": ({"customer_id": int(v["key"])}, int(v["key"]).to_bytes(8, "little"), (5_000_000).to_bytes(8, "little")),
        "email": ({"note": v["email"]}, v["email"].encode(), b"m" * len(v["email"])),
    }
    for name, (change, held, other) in bounds.items():
        rows = [{**one, "note": "m" * len(v["email"]), "customer_id": 5_000_000} for one in plain]
        rows[7] = {**rows[7], **change}
        for place, index in (("footer", False), ("page-header", False), ("page-index", True)):
            path = f"{DIR}/{place}.{name}.parquet"
            write(path, rows, compression="none", write_statistics=True, write_page_index=index)
            keep_in(path, place, held, other)
    write(f"{DIR}/gap.parquet", plain)
    data = open(f"{DIR}/gap.parquet", "rb").read()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    open(f"{DIR}/gap.parquet", "wb").write(data[:footer] + b"\0A" + v["email"].encode() + b"B\0" + data[footer:])
    # Many begin as the subject does: cut bounds are explained by them.
    alike = [{**one, "email": f"{v['email'][:17]}.x{index}"} for index, one in enumerate(plain)]
    alike[9]["email"] = v["email"][:12]
    write(f"{DIR}/alike.clean.parquet", alike, write_statistics=True, write_page_index=True)
    # Another's value is what the subject's upper bound would be, cut and raised.
    raised = f"{v['email'][:15]}{chr(ord(v['email'][15]) + 1)}"
    write(f"{DIR}/raised.clean.parquet", [{**one, "email": f"{raised}{'' if index == 9 else index}"} for index, one in enumerate(plain)], write_statistics=True, write_page_index=True)
    deletes = pa.schema([field(2147483546, "file_path", pa.string()), field(2147483545, "pos", pa.int64())])
    paths = [{"file_path": "s3://lake/a/t/data/x.parquet", "pos": index} for index in range(9)]
    write(f"{DIR}/position-deletes.clean.parquet", paths, schema=deletes)
    named = [{**one, "file_path": f"s3://lake/a/t/data/email={v['email']}/x.parquet"} for one in paths]
    write(f"{DIR}/position-deletes.parquet", named, schema=deletes)
    equality = pa.schema([field(2, "customer_id", pa.int64())])
    write(f"{DIR}/equality-deletes.parquet", [{"customer_id": int(v["key"])}], schema=equality)
    write(f"{DIR}/equality-deletes.clean.parquet", [{"customer_id": 5}], schema=equality)
    renamed = pa.schema([field(2, "client", pa.int64())])
    write(f"{DIR}/renamed-column.parquet", [{"client": int(v["key"])}], schema=renamed)
    unnumbered = pa.schema([pa.field("customer_id", pa.int64())])
    write(f"{DIR}/without-ids.parquet", [{"customer_id": int(v["key"])}], schema=unnumbered)
    write(f"{DIR}/empty.clean.parquet", [], schema=SCHEMA)
    write(f"{DIR}/empty-dictionary.clean.parquet", [], schema=SCHEMA, use_dictionary=True)


def keep_in(path, place, held, other):
    """Overwrites the value wherever else it stands, as a file would be whose row has gone."""
    data = bytearray(open(path, "rb").read())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    meta = pq.read_metadata(path)
    columns = [meta.row_group(0).column(index) for index in range(meta.num_columns)]
    pages = max(one.data_page_offset + one.total_compressed_size for one in columns)
    found, at = [], data.find(held)
    while at >= 0:
        found.append(at)
        at = data.find(held, at + 1)
    ranges = {"footer": (footer, len(data)), "page-index": (pages, footer), "page-header": (0, found[0] + 1)}
    low, high = ranges[place]
    assert any(low <= one < high for one in found), (path, place, found)
    for one in found:
        if not low <= one < high:
            data[one : one + len(held)] = other
    open(path, "wb").write(data)


def large_file():
    """For benchmarks: rows of an order table, as Spark writes them."""
    schema = pa.schema([field(1, "id", pa.int64()), field(2, "customer_id", pa.int64()), field(3, "email", pa.string()), field(8, "note", pa.string()), field(16, "price", pa.float64())])
    size = REQUEST["rows"]
    step = 1_000_000
    with pq.ParquetWriter(f"{DIR}/large.parquet", schema, compression="zstd", store_schema=False) as writer:
        for start in range(0, size, step):
            ids = pa.array(range(start, min(size, start + step)), pa.int64())
            modulo = lambda factor, base: pc.subtract(pc.multiply(ids, factor), pc.multiply(pc.divide(pc.multiply(ids, factor), base), base))
            text = lambda *parts: pc.binary_join_element_wise(*[one if isinstance(one, str) else one.cast(pa.string()) for one in parts], "")
            columns = {
                "id": ids,
                "customer_id": pc.add(modulo(2_654_435, 3_000_017), 10_000_000),
                "email": text("user", modulo(7919, 900_001), "@example.org"),
                "note": text("order ", ids, " of day ", modulo(1, 365), ", by ", modulo(31, 4001)),
                "price": pc.divide(modulo(1, 10_007).cast(pa.float64()), 7.0),
            }
            writer.write_table(pa.table(columns, schema=schema))


def main():
    os.makedirs(DIR, exist_ok=True)
    if "rows" in REQUEST:
        large_file()
        json.dump(os.path.getsize(f"{DIR}/large.parquet"), sys.stdout)
        return
    made = row_files()
    rest_files()
    json.dump(made, sys.stdout)


main()
