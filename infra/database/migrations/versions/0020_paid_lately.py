"""What a wallet paid by large payments, hour by hour, so that nobody empties one at a run.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE paid_lately (
        wallet_id uuid NOT NULL,
        began_at timestamptz NOT NULL,
        payments integer NOT NULL,
        paid_yen bigint NOT NULL,
        most_payments integer NOT NULL,
        most_yen bigint NOT NULL,
        CONSTRAINT pk_paid_lately PRIMARY KEY (wallet_id, began_at),
        CONSTRAINT ck_paid_lately_most CHECK (payments BETWEEN 1 AND most_payments AND paid_yen BETWEEN 1 AND most_yen)
    )
    """,
    "GRANT SELECT, INSERT, UPDATE (payments, paid_yen, most_payments, most_yen) ON paid_lately TO tanabata_app",
    "GRANT SELECT ON paid_lately TO tanabata_auditor",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
