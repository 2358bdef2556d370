"""Rows as sets: many values in one statement of constant shape, whatever their number."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Insert, Uuid, bindparam, cast, func, insert, inspect, literal, select
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql.selectable import TableValuedAlias


def as_rows(
    name: str, columns: Sequence[InstrumentedAttribute[Any]], rows: Sequence[Mapping[str, Any]]
) -> TableValuedAlias:
    """`rows` as a table named `name` with the given columns' names and types, through `unnest`."""
    arrays = []
    for column in columns:
        array = ARRAY(column.type)
        values = [row.get(column.key) for row in rows]
        arrays.append(cast(bindparam(f"{name}_{column.key}", values, type_=array), array))
    names = [column.key for column in columns]
    return func.unnest(*arrays).table_valued(*names, name=name).render_derived(name=name)


def any_of(ids: Collection[UUID]) -> ColumnElement[Any]:
    """`= ANY(...)` over any number of ids: compare a column with it."""
    return func.any(literal(list(ids), ARRAY(Uuid())))


def insert_rows(table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> Insert:
    """An insert of `rows`, which all name the same columns; columns not named take their defaults."""
    attributes = inspect(table).column_attrs
    columns = [getattr(table, key) for key in rows[0] if key in attributes]
    source = as_rows(f"new_{table.__tablename__}", columns, rows)
    keys = [column.key for column in columns]
    return insert(table).from_select(keys, select(*(source.c[key] for key in keys)))
