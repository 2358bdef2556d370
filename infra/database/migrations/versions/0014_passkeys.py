"""Passkeys, and the challenges that they sign.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE passkey (
        id uuid NOT NULL CONSTRAINT pk_passkey PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT fk_passkey_account_id REFERENCES account (id),
        credential_id bytea NOT NULL CONSTRAINT uq_passkey_credential_id UNIQUE,
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL,
        name text NOT NULL,
        added_at timestamptz NOT NULL,
        used_at timestamptz,
        ended_at timestamptz,
        ended_as text,
        CONSTRAINT ck_passkey_sign_count CHECK (sign_count >= 0),
        CONSTRAINT ck_passkey_ended CHECK ((ended_at IS NULL) = (ended_as IS NULL))
    )
    """,
    "CREATE INDEX ix_passkey_account_id ON passkey (account_id)",
    """
    CREATE TABLE passkey_challenge (
        id uuid NOT NULL CONSTRAINT pk_passkey_challenge PRIMARY KEY,
        purpose text NOT NULL,
        bound_to uuid,
        challenge bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
)

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE (sign_count, used_at, ended_at, ended_as) ON passkey TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (used_at) ON passkey_challenge TO tanabata_app",
    "GRANT SELECT ON passkey TO tanabata_auditor",
    "GRANT SELECT (id, purpose, bound_to, expires_at, used_at) ON passkey_challenge TO tanabata_auditor",
)


def upgrade() -> None:
    for statement in (*TABLES, *RIGHTS):
        op.execute(statement)
