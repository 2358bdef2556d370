"""Alerts that officers review; who stands near to a store, and which phones are one, as views without names.

From a number of the lake to its wallet there is one way: a function that asks first whether an alert names it.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE alert (
        id uuid NOT NULL CONSTRAINT pk_alert PRIMARY KEY,
        key text NOT NULL,
        round integer NOT NULL,
        rule text NOT NULL,
        subject text NOT NULL,
        score_permille integer NOT NULL,
        parameters jsonb NOT NULL,
        residents bigint[] NOT NULL,
        payments integer NOT NULL,
        first_day date NOT NULL,
        last_day date NOT NULL,
        found_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        CONSTRAINT uq_alert_key UNIQUE (key, round),
        CONSTRAINT ck_alert_score CHECK (score_permille BETWEEN 0 AND 1000),
        CONSTRAINT ck_alert_sane CHECK (payments >= 0 AND round > 0 AND first_day <= last_day),
        CONSTRAINT ck_alert_named CHECK (cardinality(residents) <= 200)
    )
    """,
    """
    CREATE TABLE alert_review (
        id uuid NOT NULL CONSTRAINT pk_alert_review PRIMARY KEY,
        alert_id uuid NOT NULL CONSTRAINT fk_alert_review_alert_id REFERENCES alert (id),
        verdict text NOT NULL,
        note text NOT NULL,
        payments integer NOT NULL,
        reviewer_id uuid NOT NULL,
        reviewed_at timestamptz NOT NULL,
        CONSTRAINT ck_alert_review_verdict CHECK (verdict IN ('misuse', 'harmless', 'unclear')),
        CONSTRAINT ck_alert_review_note CHECK (length(note) BETWEEN 1 AND 500)
    )
    """,
    "CREATE INDEX ix_alert_review_alert ON alert_review (alert_id, id)",
    """
    CREATE TRIGGER alert_review_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON alert_review
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE FUNCTION wallet_of_alert(alert_id uuid, named bigint) RETURNS uuid LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
        SELECT r.wallet_id FROM {city}.alert a JOIN {insight}.resident r ON r.number = $2
         WHERE a.id = $1 AND $2 = ANY (a.residents)
    $$
    """,
    "REVOKE ALL ON FUNCTION wallet_of_alert(uuid, bigint) FROM PUBLIC",
)
RIGHTS = (
    "GRANT EXECUTE ON FUNCTION wallet_of_alert(uuid, bigint) TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (score_permille, parameters, residents, payments, first_day, last_day, seen_at) "
    "ON alert TO tanabata_app",
    "GRANT SELECT, INSERT ON alert_review TO tanabata_app",
    "GRANT SELECT ON alert, alert_review TO tanabata_auditor",
)

VIEWS = {
    # Whose person the staff are is noted by the office; the rest follows from who acts for whom, and from phones.
    "relations": """
    WITH works AS (
        SELECT s.code AS store, m.person_id, CASE m.role WHEN 'owner' THEN 'owner' ELSE 'staff' END AS relation
          FROM store_member m JOIN store s ON s.id = m.store_id
         WHERE m.person_id IS NOT NULL AND m.status = 'active'
    ), near AS (
        SELECT store, person_id, relation FROM works
         UNION
        SELECT w.store, other.person_id, 'household'
          FROM works w
          JOIN account_acts_for mine ON mine.person_id = w.person_id
          JOIN account_acts_for other ON other.account_id = mine.account_id AND other.person_id <> w.person_id
         UNION
        SELECT w.store, theirs.person_id, 'device'
          FROM works w
          JOIN wallet own ON own.person_id = w.person_id
          JOIN device a ON a.wallet_id = own.id
          JOIN device b ON b.public_jwk = a.public_jwk AND b.wallet_id <> a.wallet_id
          JOIN wallet theirs ON theirs.id = b.wallet_id
    )
    SELECT r.number AS resident, n.store, n.relation
      FROM near n JOIN wallet w ON w.person_id = n.person_id JOIN {insight}.resident r ON r.wallet_id = w.id
    """,
    # A phone is its key. Only those are told that are on several wallets: alone, one says nothing of anybody.
    "means": """
    WITH shared AS (
        SELECT public_jwk FROM device GROUP BY public_jwk HAVING count(DISTINCT wallet_id) > 1
    )
    SELECT DISTINCT r.number AS resident, 'device' AS kind, hashtextextended(d.public_jwk::text, k.key) AS means
      FROM shared s
      JOIN device d ON d.public_jwk = s.public_jwk
      JOIN {insight}.resident r ON r.wallet_id = d.wallet_id
     CROSS JOIN {insight}.hash_key k
    """,
}


def upgrade() -> None:
    city = op.get_context().opts["version_table_schema"]
    insight = f'"{city[:55]}_insight"'
    for statement in (*TABLES, *RIGHTS):
        op.execute(statement.replace("{insight}", insight).replace("{city}", f'"{city}"'))
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {insight}.{name} AS {query}".replace("{insight}", insight))
        op.execute(f"GRANT SELECT ON {insight}.{name} TO tanabata_analyst")
