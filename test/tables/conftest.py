"""What CloudFormation is given for the tables, as Iceberg tables of a local catalog."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import parse_transform
from pyiceberg.types import NestedField

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    made = subprocess.run(
        ["npx", "tsx", "test/tables/template.ts"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(made.stdout)


@pytest.fixture
def catalog(tmp_path: Path) -> SqlCatalog:
    catalog = SqlCatalog("local", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse")
    catalog.create_namespace("focus")
    return catalog


def _field(field: dict[str, Any]) -> NestedField:
    # The type is given as its name in JSON, which is how the Iceberg specification writes it and PyIceberg reads it.
    return NestedField.model_validate(
        {"id": field["Id"], "name": field["Name"], "type": field["Type"], "required": field["Required"]}
    )


def create(catalog: SqlCatalog, properties: dict[str, Any]) -> Table:
    metadata = properties["IcebergMetadata"]
    schema = Schema(*(_field(field) for field in metadata["IcebergSchema"]["SchemaFieldList"]))
    spec = PartitionSpec(
        *(
            PartitionField(
                source_id=field["SourceId"],
                field_id=1000 + at,
                transform=parse_transform(field["Transform"]),
                name=field["Name"],
            )
            for at, field in enumerate(metadata.get("IcebergPartitionSpec", {}).get("Fields", []))
        )
    )
    return catalog.create_table(f"focus.{properties['TableName']}", schema=schema, partition_spec=spec)
