"""A card's own limits, its PIN changed, and wrong PINs counted for a network address as well.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

PLACES = "'card', 'till', 'web', 'address'"
LIMITS = ("without_pin_yen", "payment_yen", "day_yen")
WITHIN = "without_pin_yen >= 0 AND payment_yen > 0 AND day_yen > 0"
RIGHTS = (
    "GRANT UPDATE (pin_mac, without_pin_yen, payment_yen, day_yen) ON card TO tanabata_app",
    "GRANT SELECT (without_pin_yen, payment_yen, day_yen) ON card TO tanabata_auditor",
)
# squawk's rule fears for a guarantee that is lost; the next statement gives a wider one.
DROP = "-- squawk-ignore ban-drop-constraint\nALTER TABLE card_tries DROP CONSTRAINT IF EXISTS ck_card_tries_place"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for limit in LIMITS:
            op.execute(f"ALTER TABLE card ADD COLUMN IF NOT EXISTS {limit} bigint")
        # Of a migration that was cut off.
        op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE card DROP CONSTRAINT IF EXISTS ck_card_own_limits")
        op.execute(f"ALTER TABLE card ADD CONSTRAINT ck_card_own_limits CHECK ({WITHIN}) NOT VALID")
        op.execute("ALTER TABLE card VALIDATE CONSTRAINT ck_card_own_limits")
        op.execute(DROP)
        op.execute(f"ALTER TABLE card_tries ADD CONSTRAINT ck_card_tries_place CHECK (place IN ({PLACES})) NOT VALID")
        op.execute("ALTER TABLE card_tries VALIDATE CONSTRAINT ck_card_tries_place")
    for statement in RIGHTS:
        op.execute(statement)
