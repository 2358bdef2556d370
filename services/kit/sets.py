"""Rows as sets: many values in one statement of constant shape, whatever their number.

Building a statement costs more than running it. So a statement of the hot path is built once,
over `rows_later` and `insert_later`, and given its values at each execution by `by_columns`.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, bindparam, cast, column, func, inspect, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql.selectable import TableValuedAlias


def as_rows(
    name: str, columns: Sequence[InstrumentedAttribute[Any]], rows: Sequence[Mapping[str, Any]]
) -> TableValuedAlias:
    """`rows` as a table named `name` with the given columns' names and types, through `unnest`."""
    arrays = []
    for each in columns:
        array = ARRAY(each.type)
        values = [row.get(each.key) for row in rows]
        arrays.append(cast(bindparam(f"{name}_{each.key}", values, type_=array), array))
    names = [each.key for each in columns]
    return func.unnest(*arrays).table_valued(*names, name=name).render_derived(name=name)


@cache
def rows_later(name: str, columns: tuple[InstrumentedAttribute[Any], ...]) -> TableValuedAlias:
    """A table named `name` of these columns whose rows come at execution, as `by_columns(name, ...)`."""
    typed = [ARRAY(column.type) for column in columns]
    places = [
        cast(bindparam(f"{name}_{column.key}", type_=array), array)
        for column, array in zip(columns, typed, strict=True)
    ]
    names = [column.key for column in columns]
    return func.unnest(*places).table_valued(*names, name=name).render_derived(name=name)


def values_later(name: str, **types: Any) -> TableValuedAlias:
    """A table named `name` of columns of these types, whose values come at execution as lists.

    The list of a column is the parameter `<name>_<column>`.
    """
    arrays = {key: ARRAY(kind) for key, kind in types.items()}
    places = [cast(bindparam(f"{name}_{key}", type_=array), array) for key, array in arrays.items()]
    columns: list[Any] = [column(key, kind) for key, kind in types.items()]
    return func.unnest(*places).table_valued(*columns, name=name).render_derived(name=name)


def by_columns(name: str, keys: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """The values of `rows`, columns by their place, for a statement over `rows_later(name, ...)` or `insert_later`."""
    if not rows:
        return {f"{name}_{key}": [] for key in keys}
    return {f"{name}_{key}": list(values) for key, values in zip(keys, zip(*rows, strict=True), strict=True)}


def insert_later(table: type[DeclarativeBase], keys: Sequence[str]) -> Insert:
    """An insert whose rows come at execution, as `by_columns(<the table's name>, keys, rows)`."""
    source = rows_later(table.__tablename__, tuple(getattr(table, key) for key in keys))
    return insert(table).from_select(list(keys), select(*(source.c[key] for key in keys)))


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
