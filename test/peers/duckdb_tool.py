"""DuckDB, timed: what it takes a peer to read the same.

{"metadata": uri, "runs": n}        its reader of Iceberg metadata: milliseconds each
{"sql": text, "threads": t, "runs": n}   any query of local files: milliseconds each
"""

import json
import os
import sys
import time
from urllib.parse import urlparse

import duckdb
import duckdb_extensions


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for extension in ("avro", "httpfs", "iceberg"):
        duckdb_extensions.import_extension(extension, con=connection)
        connection.execute(f"LOAD {extension}")
    endpoint = urlparse(os.environ["ICEWRIGHT_S3_ENDPOINT"])
    tls = "true" if endpoint.scheme == "https" else "false"
    connection.execute(
        f"""CREATE SECRET (TYPE s3, KEY_ID '{os.environ["ICEWRIGHT_S3_ACCESS_KEY_ID"]}',
        SECRET '{os.environ["ICEWRIGHT_S3_SECRET_ACCESS_KEY"]}', ENDPOINT '{endpoint.netloc}',
        REGION '{os.environ["ICEWRIGHT_S3_REGION"]}', URL_STYLE 'path', USE_SSL {tls})"""
    )
    return connection


def main() -> None:
    request = json.load(sys.stdin)
    if "sql" in request:
        connection = duckdb.connect()
        connection.execute(f"SET threads = {request['threads']}")
        query = request["sql"]
    else:
        connection = connect()
        query = f"SELECT content, count(*) FROM iceberg_metadata('{request['metadata']}') GROUP BY 1"
    took = []
    rows = None
    # The first one warms up.
    for _ in range(request["runs"] + 1):
        begin = time.perf_counter()
        rows = connection.execute(query).fetchall()
        took.append((time.perf_counter() - begin) * 1_000)
    json.dump({"ms": took[1:], "rows": rows}, sys.stdout)


main()
