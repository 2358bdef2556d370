"""A sign-in by a one-time code alone may owe a secret before it adds a phone; a letter's code is such a secret once.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = ("owes_secret boolean NOT NULL DEFAULT false", "secret_tries integer NOT NULL DEFAULT 0")
LETTER_USE = """
CREATE TABLE letter_use (
    reference text NOT NULL,
    issue integer NOT NULL,
    account_id uuid NOT NULL CONSTRAINT fk_letter_use_account_id REFERENCES account (id),
    used_at timestamptz NOT NULL,
    CONSTRAINT pk_letter_use PRIMARY KEY (reference, issue)
)
"""
REST = (
    "CREATE INDEX ix_letter_use_account_id ON letter_use (account_id)",
    "GRANT UPDATE (owes_secret, secret_tries) ON session TO tanabata_app",
    "GRANT SELECT (owes_secret, secret_tries) ON session TO tanabata_auditor",
    "GRANT SELECT, INSERT ON letter_use TO tanabata_app",
    "GRANT SELECT ON letter_use TO tanabata_auditor",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for column in COLUMNS:
            op.execute(f"ALTER TABLE session ADD COLUMN IF NOT EXISTS {column}")
    for statement in (LETTER_USE, *REST):
        op.execute(statement)
