"""What analytics may see: views without names in a schema of their own, for the analyst's role alone.

The schema is called after the city's (decision 0050). Residents get random numbers, given out once; deeds, lots and
expiries are told by a keyed hash. A store's category, size and place are noted whenever they change.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE {insight}.resident (
        wallet_id uuid NOT NULL CONSTRAINT pk_resident PRIMARY KEY,
        number bigint NOT NULL CONSTRAINT uq_resident_number UNIQUE
    )
    """,
    """
    CREATE TABLE {insight}.hash_key (
        one boolean NOT NULL CONSTRAINT pk_hash_key PRIMARY KEY CONSTRAINT ck_hash_key_one CHECK (one),
        key bigint NOT NULL
    )
    """,
    """
    CREATE TABLE {insight}.store_history (
        store_id uuid NOT NULL,
        from_at timestamptz NOT NULL,
        store_class text NOT NULL,
        mcc text NOT NULL,
        postal_code text NOT NULL,
        CONSTRAINT pk_store_history PRIMARY KEY (store_id, from_at)
    )
    """,
    # The hash of a random id is a number that nobody can foresee.
    "INSERT INTO {insight}.hash_key (one, key) VALUES (true, uuid_hash_extended(gen_random_uuid(), 0))",
)

FUNCTIONS = (
    """
    CREATE FUNCTION {insight}.number_residents() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO {insight}.resident (wallet_id, number)
        SELECT id, uuid_hash_extended(gen_random_uuid(), 0) & 4611686018427387903 FROM opened;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER wallet_numbered AFTER INSERT ON wallet REFERENCING NEW TABLE AS opened
    FOR EACH STATEMENT EXECUTE FUNCTION {insight}.number_residents()
    """,
    """
    CREATE FUNCTION {insight}.note_store() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO {insight}.store_history (store_id, from_at, store_class, mcc, postal_code)
        VALUES (NEW.id, CASE TG_OP WHEN 'INSERT' THEN NEW.registered_at ELSE now() END,
                NEW.store_class, NEW.mcc, NEW.postal_code)
        ON CONFLICT (store_id, from_at) DO UPDATE
           SET store_class = EXCLUDED.store_class, mcc = EXCLUDED.mcc, postal_code = EXCLUDED.postal_code;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER store_noted AFTER INSERT OR UPDATE OF store_class, mcc, postal_code ON store
    FOR EACH ROW EXECUTE FUNCTION {insight}.note_store()
    """,
    # The ids of rows that are written once begin with their instant in milliseconds (RFC 9562): a period is a range.
    """
    CREATE FUNCTION {insight}.id_at(day date) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (lpad(to_hex(greatest(0, (extract(epoch FROM day::timestamp) * 1000)::bigint - 32400000)), 12, '0')
                || '00000000000000000000')::uuid
    $$
    """,
    """
    CREATE FUNCTION {insight}.first_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT {insight}.id_at(coalesce(nullif(current_setting('insight.first_day', true), ''), '1970-01-01')::date)
    $$
    """,
    """
    CREATE FUNCTION {insight}.end_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT {insight}.id_at(coalesce(nullif(current_setting('insight.end_day', true), ''), '9999-12-31')::date)
    $$
    """,
)

ALREADY = (
    """
    INSERT INTO {insight}.resident (wallet_id, number)
    SELECT id, uuid_hash_extended(gen_random_uuid(), 0) & 4611686018427387903 FROM wallet
    """,
    """
    INSERT INTO {insight}.store_history (store_id, from_at, store_class, mcc, postal_code)
    SELECT id, registered_at, store_class, mcc, postal_code FROM store
    """,
)

SPENT = """
    SELECT uuid_hash_extended(g.deed_id, k.key) AS deed, uuid_hash_extended(g.payment_id, k.key) AS payment, g.kind,
           r.number AS resident, s.code AS store, p.code AS programme, l.purse, pay.mode, g.effective_at AS at,
           uuid_hash_extended(a.lot_id, k.key) AS lot,
           {sign} a.paid_yen AS paid_yen, {sign} a.premium_yen AS premium_yen, {emptied} AS emptied
      FROM payment_leg g
      JOIN payment_allocation a
        ON a.leg_id = g.id AND a.leg_id >= {insight}.first_id() AND a.leg_id < {insight}.end_id()
      JOIN payment pay ON pay.id = g.payment_id {same_time}
      JOIN lot l ON l.id = a.lot_id
      JOIN store s ON s.id = g.store_id
      JOIN programme p ON p.id = g.programme_id
      JOIN {insight}.resident r ON r.wallet_id = pay.wallet_id
     CROSS JOIN {insight}.hash_key k
     WHERE {kind} AND g.id >= {insight}.first_id() AND g.id < {insight}.end_id()
"""
"""A payment is of its leg's time, so a period of payments is read in a stretch; what came back is looked up."""

VIEWS = {
    "spending": " UNION ALL ".join(
        (
            SPENT.replace("{sign}", "")
            .replace("{emptied}", "pay.balance_after_yen = 0")
            .replace("{same_time}", "AND pay.id >= {insight}.first_id() AND pay.id < {insight}.end_id()")
            .replace("{kind}", "g.kind = 'payment'"),
            SPENT.replace("{sign}", "-")
            .replace("{emptied}", "false")
            .replace("{same_time}", "")
            .replace("{kind}", "g.kind <> 'payment'"),
        )
    ),
    # What was undone whole was never sold; an extension or a revival is not told.
    "lots": """
    SELECT uuid_hash_extended(l.id, k.key) AS lot, r.number AS resident, p.code AS programme, l.purse, l.origin,
           l.issued_at AS at, l.usable_from, l.first_expires_at AS expires_at,
           l.paid_issued_yen AS paid_yen, l.premium_issued_yen AS premium_yen
      FROM lot l
      JOIN programme p ON p.id = l.programme_id
      JOIN {insight}.resident r ON r.wallet_id = l.wallet_id
      LEFT JOIN purchase b ON b.id = l.origin_id AND l.origin = 'purchase'
     CROSS JOIN {insight}.hash_key k
     WHERE b.status IS DISTINCT FROM 'undone' AND l.id >= {insight}.first_id() AND l.id < {insight}.end_id()
    """,
    "undone": """
    SELECT l.issued_at, b.ended_at, l.paid_issued_yen AS paid_yen, l.premium_issued_yen AS premium_yen
      FROM lot l JOIN purchase b ON b.id = l.origin_id AND l.origin = 'purchase'
     WHERE b.status = 'undone'
    """,
    "expiries": """
    SELECT uuid_hash_extended(e.id, k.key) AS expiry, uuid_hash_extended(e.lot_id, k.key) AS lot,
           r.number AS resident, p.code AS programme, l.purse, e.expired_at AS at, e.paid_yen, e.premium_yen
      FROM expiry e
      JOIN lot l ON l.id = e.lot_id
      JOIN programme p ON p.id = l.programme_id
      JOIN {insight}.resident r ON r.wallet_id = e.wallet_id
     CROSS JOIN {insight}.hash_key k
     WHERE e.id >= {insight}.first_id() AND e.id < {insight}.end_id()
    """,
    # The day of birth stays here.
    "residents": """
    SELECT r.number AS resident, w.opened_at AS joined_at, coalesce(d.district, 'unknown') AS district,
           CASE WHEN a.years IS NULL OR a.years < 0 THEN 'unknown'
                WHEN a.years < 18 THEN '0-17' WHEN a.years < 30 THEN '18-29' WHEN a.years < 40 THEN '30-39'
                WHEN a.years < 50 THEN '40-49' WHEN a.years < 60 THEN '50-59' WHEN a.years < 70 THEN '60-69'
                WHEN a.years < 80 THEN '70-79' ELSE '80+' END AS age_band
      FROM wallet w
      JOIN {insight}.resident r ON r.wallet_id = w.id
      LEFT JOIN residency y ON y.person_id = w.person_id
      LEFT JOIN postal_district d ON d.postal_code = y.postal_code
     CROSS JOIN LATERAL (
        SELECT extract(year FROM age((now() AT TIME ZONE 'Asia/Tokyo')::date, y.born_on))::int AS years) a
    """,
    "stores": """
    SELECT s.code AS store, h.from_at, h.store_class, h.mcc, coalesce(d.district, h.postal_code) AS district,
           m.number AS merchant
      FROM {insight}.store_history h
      JOIN store s ON s.id = h.store_id
      JOIN merchant m ON m.id = s.merchant_id
      LEFT JOIN postal_district d ON d.postal_code = h.postal_code
    """,
    "programmes": """
    SELECT p.code AS programme, (v.terms ->> 'unit_price_yen')::bigint AS unit_price_yen,
           (SELECT sum((purse ->> 'paid_points')::bigint + (purse ->> 'premium_points')::bigint)
              FROM jsonb_array_elements(v.terms -> 'purses') AS purse)::bigint AS unit_points,
           (v.terms ->> 'cap_yen')::bigint AS cap_yen, (v.terms ->> 'stock_units')::bigint AS stock_units,
           (v.terms ->> 'grant_budget_points')::bigint AS grant_budget_points,
           (v.terms -> 'sale' ->> 'first')::date AS sale_from, (v.terms -> 'use' ->> 'first')::date AS use_from,
           (v.terms -> 'use' ->> 'last')::date AS use_to
      FROM programme p
      JOIN programme_version v ON v.programme_id = p.id AND v.version = p.published_version
    """,
    # What the books say that wallets gained and lost, for the lake to agree with. No owner, no deed.
    "wallet_postings": """
    SELECT account, amount_yen FROM ledger_posting
     WHERE account IN ('wallet_paid', 'wallet_premium')
       AND journal_id >= {insight}.first_id() AND journal_id < {insight}.end_id()
    """,
}


def upgrade() -> None:
    insight = '"' + op.get_context().opts["version_table_schema"][:55] + '_insight"'
    for statement in (*TABLES, *FUNCTIONS, *ALREADY):
        op.execute(statement.replace("{insight}", insight))
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {insight}.{name} AS {query}".replace("{insight}", insight))
        op.execute(f"GRANT SELECT ON {insight}.{name} TO tanabata_analyst")
    op.execute(f"GRANT USAGE ON SCHEMA {insight} TO tanabata_analyst")
