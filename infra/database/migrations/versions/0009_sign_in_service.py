"""Attempts to prove one's residency by the government's sign-in service; each is used once.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE residency_attempt (
    id uuid NOT NULL CONSTRAINT pk_residency_attempt PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT fk_residency_attempt_account_id REFERENCES account (id),
    person_id uuid NOT NULL CONSTRAINT fk_residency_attempt_person_id REFERENCES person (id),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("GRANT SELECT, INSERT, UPDATE (used_at) ON residency_attempt TO tanabata_app")
    op.execute("GRANT SELECT ON residency_attempt TO tanabata_auditor")
