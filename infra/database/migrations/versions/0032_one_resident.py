"""Who had two wallets is one resident, and a lot that took over another's value is that lot (decision 0092).

The closed wallet's number becomes the living one's, so no view has to look anything up. The number that it had is kept
apart: an alert may name it.

Revision ID: 0032
Revises: 0033
"""

from alembic import op

revision = "0032"
down_revision = "0033"
branch_labels = None
depends_on = None

INDEX = (
    "DROP INDEX CONCURRENTLY IF EXISTS {insight}.ix_resident_number",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_resident_number ON {insight}.resident (number)",
)
STATEMENTS = (
    """
    CREATE TABLE {insight}.former_number (
        number bigint NOT NULL CONSTRAINT pk_former_number PRIMARY KEY,
        wallet_id uuid NOT NULL CONSTRAINT uq_former_number_wallet_id UNIQUE
    )
    """,
    # squawk's rule fears for a guarantee that is lost; here it is meant: two wallets of one person share a number.
    "-- squawk-ignore ban-drop-constraint\nALTER TABLE {insight}.resident DROP CONSTRAINT uq_resident_number",
    # A wallet into which others went before takes them along.
    """
    CREATE FUNCTION {insight}.one_resident() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        was bigint := (SELECT number FROM {insight}.resident WHERE wallet_id = NEW.id);
        now_told bigint := (SELECT number FROM {insight}.resident WHERE wallet_id = NEW.merged_into_id);
    BEGIN
        INSERT INTO {insight}.former_number (number, wallet_id) VALUES (was, NEW.id);
        UPDATE {insight}.resident SET number = now_told WHERE number = was;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER wallet_is_one_resident AFTER UPDATE OF merged_into_id ON wallet
    FOR EACH ROW WHEN (OLD.merged_into_id IS NULL AND NEW.merged_into_id IS NOT NULL)
    EXECUTE FUNCTION {insight}.one_resident()
    """,
    # Merges of before.
    """
    INSERT INTO {insight}.former_number (number, wallet_id)
    SELECT r.number, w.id FROM wallet w JOIN {insight}.resident r ON r.wallet_id = w.id
     WHERE w.merged_into_id IS NOT NULL
    """,
    """
    WITH RECURSIVE line AS (
        SELECT id AS wallet_id, merged_into_id AS into_id FROM wallet WHERE merged_into_id IS NOT NULL
         UNION ALL
        SELECT l.wallet_id, w.merged_into_id FROM line l JOIN wallet w ON w.id = l.into_id
         WHERE w.merged_into_id IS NOT NULL
    )
    UPDATE {insight}.resident r SET number = living.number
      FROM line l
      JOIN wallet w ON w.id = l.into_id AND w.merged_into_id IS NULL
      JOIN {insight}.resident living ON living.wallet_id = w.id
     WHERE r.wallet_id = l.wallet_id
    """,
    # Of a number that was told once, the wallet in which its value is now.
    """
    CREATE OR REPLACE FUNCTION wallet_of_alert(alert_id uuid, named bigint) RETURNS uuid LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
        SELECT r.wallet_id
          FROM {city}.alert a
          LEFT JOIN {insight}.former_number f ON f.number = $2
          LEFT JOIN {insight}.resident since ON since.wallet_id = f.wallet_id
          JOIN {insight}.resident r ON r.number = coalesce(since.number, $2)
          JOIN {city}.wallet w ON w.id = r.wallet_id AND w.merged_into_id IS NULL
         WHERE a.id = $1 AND $2 = ANY (a.residents)
    $$
    """,
)

VIEWS = {
    # A lot's expiry is the expiry of the lot that was issued; where value moved, that is the first one of its line.
    "expiries": """
    SELECT uuid_hash_extended(e.id, k.key) AS expiry, uuid_hash_extended(CASE
           WHEN l.moved_from_id IS NULL THEN l.id
           ELSE (WITH RECURSIVE line AS (
                     SELECT b.id, b.moved_from_id FROM lot b WHERE b.id = l.moved_from_id
                      UNION ALL
                     SELECT b.id, b.moved_from_id FROM lot b JOIN line ON b.id = line.moved_from_id)
                 SELECT line.id FROM line WHERE line.moved_from_id IS NULL) END, k.key) AS lot,
           r.number AS resident, p.code AS programme, l.purse, e.expired_at AS at, e.paid_yen, e.premium_yen
      FROM expiry e
      JOIN lot l ON l.id = e.lot_id
      JOIN programme p ON p.id = l.programme_id
      JOIN {insight}.resident r ON r.wallet_id = e.wallet_id
     CROSS JOIN {insight}.hash_key k
     WHERE e.id >= {insight}.first_id() AND e.id < {insight}.end_id()
    """,
    # A person joined with the first of their wallets, and is who the living one's person is.
    "residents": """
    SELECT r.number AS resident, coalesce(before.joined_at, w.opened_at) AS joined_at,
           coalesce(d.district, 'unknown') AS district,
           CASE WHEN a.years IS NULL OR a.years < 0 THEN 'unknown'
                WHEN a.years < 18 THEN '0-17' WHEN a.years < 30 THEN '18-29' WHEN a.years < 40 THEN '30-39'
                WHEN a.years < 50 THEN '40-49' WHEN a.years < 60 THEN '50-59' WHEN a.years < 70 THEN '60-69'
                WHEN a.years < 80 THEN '70-79' ELSE '80+' END AS age_band
      FROM wallet w
      JOIN {insight}.resident r ON r.wallet_id = w.id
      LEFT JOIN (
        SELECT same.number, min(each.opened_at) AS joined_at
          FROM (SELECT DISTINCT now_told.number FROM {insight}.former_number f
                  JOIN {insight}.resident now_told ON now_told.wallet_id = f.wallet_id) merged
          JOIN {insight}.resident same ON same.number = merged.number
          JOIN wallet each ON each.id = same.wallet_id
         GROUP BY same.number) before ON before.number = r.number
      LEFT JOIN residency y ON y.person_id = w.person_id
      LEFT JOIN postal_district d ON d.postal_code = y.postal_code
     CROSS JOIN LATERAL (
        SELECT extract(year FROM age((now() AT TIME ZONE 'Asia/Tokyo')::date, y.born_on))::int AS years) a
     WHERE w.merged_into_id IS NULL
    """,
    # Both of one person's wallets may be near to a store; the person is so once.
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
          JOIN {insight}.resident one ON one.wallet_id = own.id
          JOIN {insight}.resident two ON two.wallet_id = theirs.id AND two.number <> one.number
    )
    SELECT DISTINCT r.number AS resident, n.store, n.relation
      FROM near n JOIN wallet w ON w.person_id = n.person_id JOIN {insight}.resident r ON r.wallet_id = w.id
    """,
    # A phone that is on both wallets of one person is on one person's.
    "means": """
    WITH shared AS (
        SELECT d.public_jwk FROM device d JOIN {insight}.resident r ON r.wallet_id = d.wallet_id
         GROUP BY d.public_jwk HAVING count(DISTINCT r.number) > 1
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
    with op.get_context().autocommit_block():
        for statement in INDEX:
            op.execute(statement.replace("{insight}", insight))
    for statement in STATEMENTS:
        op.execute(statement.replace("{insight}", insight).replace("{city}", f'"{city}"'))
    for name, query in VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {insight}.{name} AS {query}".replace("{insight}", insight))
        op.execute(f"GRANT SELECT ON {insight}.{name} TO tanabata_analyst")
