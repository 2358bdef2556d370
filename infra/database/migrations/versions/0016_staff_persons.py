"""Which person is behind an account of the city's staff: two accounts of one person are one pair of eyes.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STAFF_PERSON = """
CREATE TABLE staff_person (
    account_id uuid NOT NULL CONSTRAINT pk_staff_person PRIMARY KEY
        CONSTRAINT fk_staff_person_account_id REFERENCES account (id),
    staff_number text NOT NULL,
    person_id uuid CONSTRAINT fk_staff_person_person_id REFERENCES person (id),
    named_at timestamptz NOT NULL
)
"""
REST = (
    "CREATE INDEX ix_staff_person_staff_number ON staff_person (staff_number)",
    "CREATE INDEX ix_staff_person_person_id ON staff_person (person_id)",
    "GRANT SELECT, INSERT, UPDATE (staff_number, person_id, named_at) ON staff_person TO tanabata_app",
    "GRANT SELECT ON staff_person TO tanabata_auditor",
)


def upgrade() -> None:
    op.execute(STAFF_PERSON)
    for statement in REST:
        op.execute(statement)
