"""The tables that the template asks S3 Tables for are Iceberg tables that can be loaded, replaced and read."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

from conftest import create

# How the delivered Parquet holds each type of the external table.
ARROW = {
    "string": pa.string(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("ms"),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
    "map<string,double>": pa.map_(pa.string(), pa.float64()),
}


def properties_of(template: dict[str, Any], name: str) -> dict[str, Any]:
    return next(table for table in template["tables"] if table["TableName"] == name)


def delivered(template: dict[str, Any], month: datetime, rows: int) -> pa.Table:
    """Rows as AWS Data Exports delivers them: its columns and types, nulls, small numbers."""
    source = random.Random(f"{month:%Y-%m}")
    columns: dict[str, pa.Array] = {}
    for column in template["exportTable"]["TableInput"]["StorageDescriptor"]["Columns"]:
        name, glue = column["Name"], column["Type"]
        if name == "billingperiodstart":
            values: list[Any] = [month] * rows
        elif name == "servicename":
            values = [f"Service {at % 5}" for at in range(rows)]
        elif glue == "string":
            values = [None if at % 7 == 0 else f"{name} é {source.randrange(50)}" for at in range(rows)]
        elif glue == "double":
            values = [None if at % 11 == 0 else source.expovariate(1) * 10 ** source.randint(-9, 3) for at in range(rows)]
        elif glue == "timestamp":
            values = [month + timedelta(hours=source.randrange(24 * 28)) for _ in range(rows)]
        elif glue == "map<string,string>":
            values = [None if at % 5 == 0 else [("team", f"t{at % 3}"), ("env", "prod")] for at in range(rows)]
        else:
            values = [[("discount", 0.5)] for _ in range(rows)]
        columns[name] = pa.array(values, ARROW[glue])
    return pa.table(columns)


def as_loaded(source: pa.Table, target: pa.Schema) -> pa.Table:
    """What the INSERT's casts do: maps become their JSON with sorted keys, times get microseconds."""
    columns = []
    for field in target:
        column = source.column(field.name)
        if pa.types.is_map(column.type):
            texts = [
                None if value is None else json.dumps(dict(value), sort_keys=True, separators=(",", ":"))
                for value in column.to_pylist()
            ]
            column = pa.chunked_array([pa.array(texts, pa.string())])
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=target)


def arrow_schema(table: Any) -> pa.Schema:
    return pa.schema([field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field for field in table.schema().as_arrow()])


def test_schema_is_that_of_the_specification_in_lower_case(template: dict[str, Any], catalog: SqlCatalog) -> None:
    table = create(catalog, properties_of(template, "cost_and_usage_v1_2"))
    fields = table.schema().fields
    assert [field.field_id for field in fields] == list(range(1, 61))
    assert all(field.name == field.name.lower() and not field.required for field in fields)
    assert {str(field.field_type) for field in fields} == {"string", "double", "timestamp"}
    [partition] = table.spec().fields
    assert (table.schema().find_field(partition.source_id).name, str(partition.transform)) == ("billingperiodstart", "month")


def test_months_are_loaded_replaced_and_read(template: dict[str, Any], catalog: SqlCatalog, tmp_path: Any) -> None:
    table = create(catalog, properties_of(template, "cost_and_usage_v1_2"))
    schema = arrow_schema(table)
    september, october = datetime(2026, 9, 1), datetime(2026, 10, 1)
    for month in (september, october):
        # Through a real file, with the types that the export has.
        folder = tmp_path / f"BILLING_PERIOD={month:%Y-%m}"
        folder.mkdir()
        pq.write_table(delivered(template, month, 2000), folder / "data.snappy.parquet", compression="snappy")
        table.append(as_loaded(pq.ParquetFile(folder / "data.snappy.parquet").read(), schema))
    assert {str(row["partition"]) for row in table.inspect.partitions().to_pylist()} == {
        "{'billingperiodstart_month': 680}",
        "{'billingperiodstart_month': 681}",
    }

    # A month is replaced: whole files go, none is rewritten, and the other month keeps its own.
    files = set(table.inspect.files().column("file_path").to_pylist())
    in_september = And(
        GreaterThanOrEqual("billingperiodstart", september.isoformat()), LessThan("billingperiodstart", october.isoformat())
    )
    table.delete(in_september)
    left = set(table.inspect.files().column("file_path").to_pylist())
    assert left < files and all("=2026-10" in path for path in left)
    table.append(as_loaded(delivered(template, september, 1500), schema))

    loaded = table.scan().to_arrow()
    answer = duckdb.sql(
        """SELECT strftime(billingperiodstart, '%Y-%m') AS month, count(*), round(sum(billedcost), 6),
           count(*) FILTER (WHERE tags->>'$.team' = 't1'), count(DISTINCT servicename)
           FROM loaded GROUP BY ALL ORDER BY month"""
    ).fetchall()
    expected = []
    for month, rows in ((september, 1500), (october, 2000)):
        source = delivered(template, month, rows)
        total = sum(value or 0 for value in source.column("billedcost").to_pylist())
        tagged = sum(1 for tags in source.column("tags").to_pylist() if tags and dict(tags)["team"] == "t1")
        expected.append((f"{month:%Y-%m}", rows, pytest.approx(total, abs=1e-5), tagged, 5))
    assert answer == expected


def test_a_snapshot_still_holds_what_a_load_replaced(template: dict[str, Any], catalog: SqlCatalog) -> None:
    table = create(catalog, properties_of(template, "cost_and_usage_v1_2"))
    schema = arrow_schema(table)
    month = datetime(2026, 9, 1)
    table.append(as_loaded(delivered(template, month, 10), schema))
    before = table.current_snapshot()
    assert before is not None
    table.delete("billingperiodstart >= '2026-09-01T00:00:00'")
    assert table.scan().to_arrow().num_rows == 0
    assert table.scan(snapshot_id=before.snapshot_id).to_arrow().num_rows == 10


def test_the_marks_take_what_the_load_writes(template: dict[str, Any], catalog: SqlCatalog) -> None:
    from decimal import Decimal

    table = create(catalog, properties_of(template, "month_loads"))
    row = {
        "billing_period": "2026-09",
        "state": "loaded",
        "source_rows": 3_000_000_000,
        "source_billed_cost": Decimal("123456789.123456789"),
        "source_effective_cost": Decimal("-0.000000001"),
        "source_fingerprint": "C29E9B214234DD51",
        "marked_at": datetime(2026, 10, 1, 7),
        "execution": "run",
    }
    table.append(pa.Table.from_pylist([row], schema=arrow_schema(table)))
    assert table.scan().to_arrow().to_pylist() == [row]
