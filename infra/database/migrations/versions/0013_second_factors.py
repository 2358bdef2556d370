"""Second factors: authenticator apps, recovery codes, and right passwords that wait for one of them.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE second_factor (
        account_id uuid NOT NULL CONSTRAINT pk_second_factor PRIMARY KEY
            CONSTRAINT fk_second_factor_account_id REFERENCES account (id),
        sealed_secret bytea,
        last_step bigint NOT NULL,
        enrolled_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE recovery_code (
        id uuid NOT NULL CONSTRAINT pk_recovery_code PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT fk_recovery_code_account_id REFERENCES account (id),
        mac bytea NOT NULL,
        made_at timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX ix_recovery_code_account_id ON recovery_code (account_id)",
    """
    CREATE TABLE sign_in_attempt (
        id uuid NOT NULL CONSTRAINT pk_sign_in_attempt PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT fk_sign_in_attempt_account_id REFERENCES account (id),
        sealed_secret bytea,
        began_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX ix_sign_in_attempt_account_id ON sign_in_attempt (account_id)",
)

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE (sealed_secret, last_step, enrolled_at) ON second_factor TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (ended_at) ON recovery_code TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (sealed_secret, ended_at) ON sign_in_attempt TO tanabata_app",
    "GRANT SELECT (account_id, last_step, enrolled_at) ON second_factor TO tanabata_auditor",
    "GRANT SELECT (id, account_id, made_at, ended_at) ON recovery_code TO tanabata_auditor",
    "GRANT SELECT (id, account_id, began_at, expires_at, ended_at) ON sign_in_attempt TO tanabata_auditor",
)


def upgrade() -> None:
    for statement in (*TABLES, *RIGHTS):
        op.execute(statement)
