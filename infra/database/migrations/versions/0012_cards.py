"""Printed cards: what reaches a wallet without a phone, what they spent today, wrong PINs; payments by card.

The MAC of a PIN is a secret to the auditor: with the key, ten thousand PINs are tried in no time.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE card (
        id uuid NOT NULL CONSTRAINT pk_card PRIMARY KEY,
        number text NOT NULL CONSTRAINT uq_card_number UNIQUE,
        wallet_id uuid NOT NULL CONSTRAINT fk_card_wallet_id REFERENCES wallet (id),
        status text NOT NULL,
        pin_mac bytea NOT NULL,
        issued_at timestamptz NOT NULL,
        issued_by uuid NOT NULL,
        CONSTRAINT ck_card_status CHECK (status IN ('active', 'frozen', 'replaced'))
    )
    """,
    "CREATE INDEX ix_card_wallet ON card (wallet_id)",
    "CREATE UNIQUE INDEX ix_card_working ON card (wallet_id) WHERE status <> 'replaced'",
    """
    CREATE TABLE card_spent (
        card_id uuid NOT NULL CONSTRAINT fk_card_spent_card_id REFERENCES card (id),
        day date NOT NULL,
        spent_yen bigint NOT NULL,
        CONSTRAINT pk_card_spent PRIMARY KEY (card_id, day),
        CONSTRAINT ck_card_spent_spent CHECK (spent_yen > 0)
    )
    """,
    """
    CREATE TABLE card_tries (
        place text NOT NULL,
        subject_id uuid NOT NULL,
        window_began_at timestamptz NOT NULL,
        tries integer NOT NULL,
        CONSTRAINT pk_card_tries PRIMARY KEY (place, subject_id),
        CONSTRAINT ck_card_tries_place CHECK (place IN ('card', 'till', 'web'))
    )
    """,
    "GRANT SELECT, INSERT, UPDATE (status) ON card TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (spent_yen) ON card_spent TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (window_began_at, tries) ON card_tries TO tanabata_app",
    "GRANT SELECT (id, number, wallet_id, status, issued_at, issued_by) ON card TO tanabata_auditor",
    "GRANT SELECT ON card_spent, card_tries TO tanabata_auditor",
)
MODES = "'cpm', 'mpm', 'till', 'card'"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            # squawk's rule fears for a guarantee that is lost; the next statement gives a wider one.
            "-- squawk-ignore ban-drop-constraint\n"
            "ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_mode"
        )
        op.execute(f"ALTER TABLE payment ADD CONSTRAINT ck_payment_mode CHECK (mode IN ({MODES})) NOT VALID")
        op.execute("ALTER TABLE payment VALIDATE CONSTRAINT ck_payment_mode")
    for statement in TABLES:
        op.execute(statement)
