"""What published terms call a programme and its purses is told to the lake, so that reports need not say codes.

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TITLES = """
    SELECT p.code AS programme, '' AS purse, v.terms ->> 'name' AS title
      FROM programme p
      JOIN programme_version v ON v.programme_id = p.id AND v.version = p.published_version
     UNION ALL
    SELECT p.code, purse ->> 'code', purse ->> 'name'
      FROM programme p
      JOIN programme_version v ON v.programme_id = p.id AND v.version = p.published_version
     CROSS JOIN LATERAL jsonb_array_elements(v.terms -> 'purses') AS purse
"""


def upgrade() -> None:
    insight = '"' + op.get_context().opts["version_table_schema"][:55] + '_insight"'
    op.execute(f"CREATE VIEW {insight}.titles AS {TITLES}")
    op.execute(f"GRANT SELECT ON {insight}.titles TO tanabata_analyst")
