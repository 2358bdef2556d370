"""The migrations build exactly the tables that the code declares, guarded and granted."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.migrate import metadata
from services.payments.tables.at_speed import FUNCTIONS


async def test_migrations_and_tables_agree(migrator_engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [each for each in compare_metadata(context, metadata()) if "alembic_version" not in str(each)]

    async with migrator_engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_application_may_delete_nothing(engine: AsyncEngine) -> None:
    query = text(
        "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
        "AND (has_table_privilege(current_user, c.oid, 'DELETE') "
        "OR has_table_privilege(current_user, c.oid, 'TRUNCATE'))"
    )
    async with engine.connect() as connection:
        assert (await connection.execute(query)).scalars().all() == []


async def test_every_table_is_readable_by_the_application(engine: AsyncEngine) -> None:
    query = text(
        "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
        "AND c.relname <> 'alembic_version' AND NOT has_table_privilege(current_user, c.oid, 'SELECT, INSERT')"
    )
    async with engine.connect() as connection:
        assert (await connection.execute(query)).scalars().all() == []


async def test_the_functions_that_pay_are_those_of_the_code_and_only_the_application_runs_them(
    migrator_engine: AsyncEngine,
) -> None:
    query = text(
        "SELECT proname, prosrc, proconfig, array(SELECT r FROM unnest(ARRAY['tanabata_app', 'tanabata_auditor', "
        "'tanabata_analyst']) r WHERE has_function_privilege(r, oid, 'EXECUTE')) AS roles "
        "FROM pg_proc WHERE proname = ANY (:names) AND pronamespace = current_schema()::regnamespace"
    )
    async with migrator_engine.connect() as connection:
        schema = (await connection.execute(text("SELECT current_schema()"))).scalar_one()
        found = (await connection.execute(query, {"names": list(FUNCTIONS)})).all()
    settings = [
        "plan_cache_mode=force_generic_plan",
        *(f"enable_{way}=off" for way in ("hashjoin", "mergejoin", "seqscan")),
    ]
    assert {row.proname: row.prosrc for row in found} == {
        name: written.split("$function$")[1] for name, written in FUNCTIONS.items()
    }
    for row in found:
        assert sorted(row.proconfig) == sorted([f'search_path="{schema}"', *settings])
        assert row.roles == ["tanabata_app"]
