"""What stores take by the hour, counted behind the payments.

Hours are forgotten by a function of the owner's that looks at their age only: the application removes nothing else.

Revision ID: 0028
Revises: 0023
"""

from alembic import op

revision = "0028"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE store_hour (
        store_id uuid NOT NULL,
        began_at timestamptz NOT NULL,
        payments integer NOT NULL,
        paid_yen bigint NOT NULL,
        returns integer NOT NULL,
        returned_yen bigint NOT NULL,
        CONSTRAINT pk_store_hour PRIMARY KEY (store_id, began_at),
        CONSTRAINT ck_store_hour_counts
            CHECK (payments >= 0 AND paid_yen >= 0 AND returns >= 0 AND returned_yen >= 0)
    )
    """,
    "CREATE INDEX ix_store_hour_began_at ON store_hour (began_at)",
)

# A program whose clock runs ahead, or lies, forgets nothing before its time. The latest hour stays: counting goes on
# from there.
FORGET = """
CREATE FUNCTION forget_store_hours(told timestamptz) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM store_hour
     WHERE began_at <= least(told, statement_timestamp()) - interval '60 days'
       AND began_at < (SELECT max(began_at) FROM store_hour);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE (payments, paid_yen, returns, returned_yen) ON store_hour TO tanabata_app",
    "GRANT SELECT ON store_hour TO tanabata_auditor",
    "REVOKE ALL ON FUNCTION forget_store_hours(timestamptz) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION forget_store_hours(timestamptz) TO tanabata_app",
)


def upgrade() -> None:
    for statement in (*TABLES, FORGET, *RIGHTS):
        op.execute(statement)
