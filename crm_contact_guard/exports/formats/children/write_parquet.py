"""Write a Parquet file: ``write_parquet.py FILE < ROWS``.

The first line of the input is a JSON object of columns and their types ("text", "time" or "number"). Each other line is
a JSON list of a row's values. Times are ISO 8601, in UTC.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

#: Row groups end at this many rows or bytes, so that memory is bounded even if cells are large.
MOST_ROWS = 20_000
MOST_BYTES = 16 << 20
TYPES = {"text": pa.large_string(), "time": pa.timestamp("us", tz="UTC"), "number": pa.int64()}


def batches() -> Iterator[list[list[object]]]:
    """Yield lists of rows."""
    rows: list[list[object]] = []
    size = 0
    for line in sys.stdin.buffer:
        rows.append(json.loads(line))
        size += len(line)
        if len(rows) >= MOST_ROWS or size >= MOST_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def main() -> None:
    """Write the file named by the first argument."""
    columns = json.loads(sys.stdin.buffer.readline())
    schema = pa.schema([(name, TYPES[kind]) for name, kind in columns.items()])
    times = [at for at, kind in enumerate(columns.values()) if kind == "time"]
    with parquet.ParquetWriter(sys.argv[1], schema, compression="zstd") as writer:
        for rows in batches():
            for row in rows:
                for at in times:
                    row[at] = datetime.fromisoformat(str(row[at])) if row[at] else None
            arrays = [
                pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


if __name__ == "__main__":
    main()
