"""Parquet files, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from simulator.writer import replacing


def write_table(target: Path, table: pd.DataFrame | pa.Table) -> Path:
    """Write a Parquet file of one row group, and return the target."""
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    return write_groups(target, table.schema, [table])


def write_groups(target: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> Path:
    """Write a Parquet file with a row group for each table, and return the target."""
    # A dictionary of numbers that hardly repeat costs time and space.
    numbers = (pa.types.is_floating, pa.types.is_list)
    words = [field.name for field in schema if not any(of(field.type) for of in numbers)]
    with (
        replacing(target) as file,
        parquet.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=words, write_page_checksum=True
        ) as writer,
    ):
        for table in tables:
            writer.write_table(table)
    return target
