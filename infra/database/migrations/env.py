"""Alembic's entry point: online on the connection of `infra.database.migrate`, or offline as SQL.

Each migration is one transaction. The version table lives in the city's schema, beside what it describes.
"""

import os

from alembic import context

from infra.database.connect import quoted
from infra.settings import Settings


def _offline() -> None:
    """Print the SQL of the migrations, for review and for the linter."""
    schema = Settings.from_env(os.environ).schema
    context.configure(
        dialect_name="postgresql",
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        version_table_schema=schema,
        transaction_per_migration=True,
    )
    context.execute(f"SET search_path TO {quoted(schema)}")
    with context.begin_transaction():
        context.run_migrations()


def _online() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise SystemExit("run `tanabata migrate`; Alembic's own command line only writes and prints migrations")
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("metadata"),  # for comparing; running needs no tables
        version_table_schema=context.config.attributes["schema"],
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _offline()
else:
    _online()
