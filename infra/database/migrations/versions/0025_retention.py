"""What is over is removed after its time: sign-ins, codes and what was counted, in batches.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ADDED = {
    "ix_session_latest_at": "session (latest_at)",
    "ix_sign_in_code_expires_at": "sign_in_code (expires_at)",
    "ix_paid_lately_began_at": "paid_lately USING brin (began_at) WITH (autosummarize = on, pages_per_range = 32)",
}

SIGN_INS = (
    ("session", "id", "latest_at", 90),
    ("sign_in_code", "id", "expires_at", 7),
    ("sign_in_attempt", "id", "expires_at", 7),
    ("passkey_challenge", "id", "expires_at", 7),
    ("password_tries", "email", "window_began_at", 7),
    ("notice_count", "account_id, about", "window_began_at", 7),
)
"""Table, key, the instant from which it is over at the latest, and for how many days it is kept then."""
CARE = (("care_code", "id", "expires_at", 7), ("care_tries", "account_id", "window_began_at", 7))
PAID = (("paid_lately", "wallet_id, began_at", "began_at", 7),)
FUNCTIONS = {"forget_sign_ins": SIGN_INS, "forget_care_codes": CARE, "forget_paid_lately": PAID}

REMOVE = """
    DELETE FROM {table} WHERE ({key}) IN (
        SELECT {key} FROM {table} WHERE {over} <= at_latest - interval '{days} days'
        LIMIT a_batch FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS removed = ROW_COUNT;
    gone := gone + removed;
"""
# A program whose clock runs ahead, or lies, removes nothing before its time, and at most a batch of each table.
FORGET = """
CREATE FUNCTION {name}(told timestamptz, most integer) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    at_latest CONSTANT timestamptz := least(told, statement_timestamp());
    a_batch CONSTANT integer := least(most, 1000);
    removed bigint;
    gone bigint := 0;
BEGIN{body}    RETURN gone;
END $$
"""


def forget(name: str) -> str:
    places = [dict(zip(("table", "key", "over", "days"), each, strict=True)) for each in FUNCTIONS[name]]
    return FORGET.format(name=name, body="".join(REMOVE.format(**each) for each in places))


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, place in ADDED.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {place}")
    for name in FUNCTIONS:
        op.execute(forget(name))
        op.execute(f"REVOKE ALL ON FUNCTION {name}(timestamptz, integer) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}(timestamptz, integer) TO tanabata_app")
