"""A sign-in opens a session: what access tokens name, and what ends before they do.

Its refresh token is kept as hashes only. No row is deleted: an ended session says when and why it ended.
And tries of one password over many accounts are counted. See docs/decisions/0030 and 0034.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ALTERABLE = ("turn_hash", "refreshed_at", "expires_at", "ended_at", "ended_as")


def upgrade() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("family_hash", sa.LargeBinary(), nullable=False),
        sa.Column("turn_hash", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=True),
        sa.CheckConstraint("carrier IN ('bearer', 'cookie')", name=op.f("ck_session_carrier")),
        sa.CheckConstraint("length(client) <= 200", name=op.f("ck_session_client")),
        sa.CheckConstraint("expires_at <= latest_at", name=op.f("ck_session_life")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_session_ended")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "password_spread",
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("window_began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("bucket BETWEEN 0 AND 65535", name=op.f("ck_password_spread_bucket")),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_password_spread")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (window_began_at, tries) ON password_spread TO tanabata_app")
    op.execute("GRANT SELECT, INSERT ON session TO tanabata_app")
    op.execute(f"GRANT UPDATE ({', '.join(ALTERABLE)}) ON session TO tanabata_app")
