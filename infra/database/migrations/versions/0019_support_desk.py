"""The support desk: who looked at how many people, alarms about it, and declined payments for a while.

Declines are forgotten by a function of the owner's that looks at their age only: the application removes nothing else.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE person_look (
        looker_id uuid NOT NULL,
        subject_id uuid NOT NULL,
        looked_at timestamptz NOT NULL,
        CONSTRAINT pk_person_look PRIMARY KEY (looker_id, subject_id)
    )
    """,
    "CREATE INDEX ix_person_look_looker ON person_look (looker_id, looked_at)",
    """
    CREATE TABLE look_alarm (
        id uuid NOT NULL CONSTRAINT pk_look_alarm PRIMARY KEY,
        looker_id uuid NOT NULL,
        span text NOT NULL,
        people integer NOT NULL,
        allowed integer NOT NULL,
        raised_at timestamptz NOT NULL,
        closed_at timestamptz,
        closed_by uuid,
        note text,
        CONSTRAINT ck_look_alarm_span CHECK (span IN ('hour', 'day')),
        CONSTRAINT ck_look_alarm_people CHECK (people > allowed),
        CONSTRAINT ck_look_alarm_closed
            CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (note IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX ix_look_alarm_open ON look_alarm (looker_id, span) WHERE closed_at IS NULL",
    """
    CREATE TABLE decline (
        id uuid NOT NULL CONSTRAINT pk_decline PRIMARY KEY,
        wallet_id uuid NOT NULL,
        code text NOT NULL,
        params jsonb NOT NULL,
        mode text NOT NULL,
        amount_yen bigint,
        store_id uuid,
        declined_at timestamptz NOT NULL,
        CONSTRAINT ck_decline_mode CHECK (mode IN ('cpm', 'mpm', 'till', 'card'))
    )
    """,
    "CREATE INDEX ix_decline_wallet ON decline (wallet_id, declined_at)",
    "CREATE INDEX ix_decline_declined_at ON decline (declined_at)",
)

# A program whose clock runs ahead, or lies, forgets nothing before its time.
FORGET = """
CREATE FUNCTION forget_declines(told timestamptz) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM decline WHERE declined_at <= least(told, statement_timestamp()) - interval '90 days';
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE (looked_at) ON person_look TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (people, closed_at, closed_by, note) ON look_alarm TO tanabata_app",
    "GRANT SELECT, INSERT ON decline TO tanabata_app",
    "GRANT SELECT ON person_look, look_alarm, decline TO tanabata_auditor",
    "REVOKE ALL ON FUNCTION forget_declines(timestamptz) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION forget_declines(timestamptz) TO tanabata_app",
)


def upgrade() -> None:
    for statement in (*TABLES, FORGET, *RIGHTS):
        op.execute(statement)
