"""How often an account's owner was told, and in which language; a phone's name may be altered.

Revision ID: 0024
Revises: 0028
"""

from alembic import op

revision = "0024"
down_revision = "0028"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE notice_count (
        account_id uuid NOT NULL CONSTRAINT fk_notice_count_account_id REFERENCES account (id),
        about text NOT NULL,
        window_began_at timestamptz NOT NULL,
        sent integer NOT NULL,
        CONSTRAINT pk_notice_count PRIMARY KEY (account_id, about),
        CONSTRAINT ck_notice_count_about CHECK (about IN ('sign_in', 'end'))
    )
    """,
    """
    CREATE TABLE notice_language (
        account_id uuid NOT NULL CONSTRAINT pk_notice_language PRIMARY KEY
            CONSTRAINT fk_notice_language_account_id REFERENCES account (id),
        language text NOT NULL,
        CONSTRAINT ck_notice_language_language CHECK (language IN ('ja', 'en', 'ja-simple'))
    )
    """,
    "GRANT SELECT, INSERT, UPDATE (window_began_at, sent) ON notice_count TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (language) ON notice_language TO tanabata_app",
    "GRANT SELECT ON notice_count, notice_language TO tanabata_auditor",
    "GRANT UPDATE (name) ON device TO tanabata_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
