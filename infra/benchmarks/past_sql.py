"""The statements that write a history; what they are about stands in `history`.

`loading.drawn` is who pays where, when and how much, in each resident's own order; `loading.payment` the same in
the order of time, with ids and numbers; `loading.part` what each payment takes from each lot. Instants are
milliseconds since 1970, as UUIDv7 holds them. `hashint8extended` throws the dice: seeded, quick, and the same on
every machine.
"""

from typing import Final

from services.kit.numbers import ALPHABET

PREPARE: Final = (
    """
CREATE UNLOGGED TABLE loading.past (
    payments bigint, payers int, begins_ms bigint, lasts_ms bigint, step_yen int, steps int, purchases_each int,
    small_yen int, common_yen int, halves int)
""",
    "CREATE UNLOGGED TABLE loading.slot (n int PRIMARY KEY, till int)",
    "CREATE UNLOGGED TABLE loading.half (n int PRIMARY KEY, high text, high_residue int, low text, low_residue int)",
    """
CREATE UNLOGGED TABLE loading.drawn (
    payer int, at_ms bigint, till int, amount_yen int, balance_after_yen int,
    small_from int, small_to int, common_from int, common_to int)
""",
    """
CREATE UNLOGGED TABLE loading.payment (
    n int, at timestamptz, payer int, wallet_id uuid, account_id uuid, store_id uuid, clerk_account_id uuid,
    store_code text, scanned bool, amount_yen int, balance_after_yen int,
    small_from int, small_to int, common_from int, common_to int,
    number text, id uuid, leg_id uuid, journal_id uuid, key uuid)
""",
    """
CREATE UNLOGGED TABLE loading.part (
    n int, turn int, parts int, leg_id uuid, journal_id uuid, lot_id uuid, paid_yen int, premium_yen int)
""",
    "CREATE INDEX ON loading.part (n)",
)

PAST: Final = (
    "payments",
    "payers",
    "begins_ms",
    "lasts_ms",
    "step_yen",
    "steps",
    "purchases_each",
    "small_yen",
    "common_yen",
    "halves",
)
"""`small_yen` and `common_yen` are what one lot of each purse began with."""

HALF: Final = ("n", "high", "high_residue", "low", "low_residue")

SIZES: Final = """
SELECT purse, (paid_issued_yen + premium_issued_yen)::int FROM loading.model_lot
"""

DRAW: Final = """
WITH trip AS (
    SELECT r.n AS payer, k, (c.payments + 2) / 3 AS trips, k / 3 AS trip, k % 3 AS stop, p.begins_ms, p.lasts_ms,
           p.step_yen, p.steps, p.small_yen * p.purchases_each AS small_had,
           (p.small_yen + p.common_yen) * p.purchases_each AS had
      FROM loading.past p
      JOIN loading.payer r ON r.n >= $1 AND r.n < $2
     CROSS JOIN LATERAL (SELECT (p.payments / p.payers + (r.n < p.payments % p.payers)::int)::int AS payments) c
     CROSS JOIN LATERAL generate_series(0, c.payments - 1) AS k),
stop AS (
    SELECT payer, k, small_had, had,
           step_yen * (1 + (hashint8extended(payer * 1048576::bigint + k, 1) & 1073741823) % steps)::int AS amount_yen,
           (hashint8extended(payer * 1048576::bigint + k, 2) & 262143)::int AS slot,
           begins_ms + floor(lasts_ms::float8 / trips
               * (trip + 0.8 * (hashint8extended(payer * 1048576::bigint + trip, 3) & 1048575) / 1048576.0::float8)
               + stop * least(1200000, 0.05::float8 * lasts_ms / trips))::bigint AS at_ms
      FROM trip),
bought AS (
    SELECT s.*, l.till, CASE t.store_class WHEN 'small' THEN s.amount_yen ELSE 0 END AS small_yen
      FROM stop s JOIN loading.slot l ON l.n = s.slot JOIN loading.till t ON t.n = l.till),
summed AS (
    SELECT *, (sum(amount_yen) OVER so_far)::int AS spent_yen, (sum(small_yen) OVER so_far)::int AS spent_small_yen
      FROM bought WINDOW so_far AS (PARTITION BY payer ORDER BY k ROWS UNBOUNDED PRECEDING))
INSERT INTO loading.drawn
SELECT payer, at_ms, till, amount_yen, had - spent_yen,
       least(spent_small_yen - small_yen, small_had), least(spent_small_yen, small_had),
       spent_yen - amount_yen - least(spent_small_yen - small_yen, small_had),
       spent_yen - least(spent_small_yen, small_had)
  FROM summed
"""
"""The payments of residents $1 to $2. Three stops make a trip; trips spread evenly, each somewhere in its turn.

What is bought in small stores comes from the small purse until that is empty, and all the rest from the common one.
"""

NUMBER: Final = f"""
WITH ordered AS (
    SELECT ($1 + row_number() OVER (ORDER BY d.at_ms, d.payer) - 1)::int AS n, d.*
      FROM loading.drawn d WHERE d.at_ms >= $2 AND d.at_ms < $3),
named AS (
    SELECT *, '0' || to_hex(at_ms) || to_hex(28672 + (hashint8extended(n, 4) & 4095)) AS head,
           hashint8extended(n, 5) & 1152921504606846975 AS tail
      FROM ordered)
INSERT INTO loading.payment
SELECT o.n, timestamptz 'epoch' + o.at_ms * interval '1 millisecond', o.payer, r.wallet_id, r.account_id, t.store_id,
       t.clerk_account_id, t.store_code, o.n % 2 = 1, o.amount_yen, o.balance_after_yen,
       o.small_from, o.small_to, o.common_from, o.common_to,
       h.high || l.low || substr('{ALPHABET}', 1 + (h.high_residue # l.low_residue), 1),
       (o.head || to_hex(o.tail | (-8::bigint << 60)))::uuid, (o.head || to_hex(o.tail | (-7::bigint << 60)))::uuid,
       (o.head || to_hex(o.tail | (-6::bigint << 60)))::uuid, (o.head || to_hex(o.tail | (-5::bigint << 60)))::uuid
  FROM named o
  JOIN loading.past p ON true
  JOIN loading.payer r ON r.n = o.payer
  JOIN loading.till t ON t.n = o.till
  JOIN loading.half h ON h.n = o.n / p.halves
  JOIN loading.half l ON l.n = o.n % p.halves
 ORDER BY o.n
"""  # noqa: S608
"""The payments from $2 until $3 (milliseconds) in their order, counted from $1; every second one by a scanned code.

An id is twelve hexadecimal digits of time, 7 (28672 = 0x7000) with three of chance, and the variant with fifteen
more. The variant leaves two bits free in its digit (8, 9, a, b): one value for each of a payment's four ids.
"""

ALLOT: Final = """
WITH reach AS (
    SELECT g.n, g.leg_id, g.journal_id, g.payer, p.payers, p.small_yen, p.common_yen,
           g.small_from, g.small_to, g.small_from / p.small_yen AS small_first,
           (g.small_to - 1) / p.small_yen AS small_last, g.small_to > g.small_from AS small,
           g.common_from, g.common_to, g.common_from / p.common_yen AS common_first,
           (g.common_to - 1) / p.common_yen AS common_last, g.common_to > g.common_from AS common
      FROM loading.payment g, loading.past p WHERE g.n >= $1 AND g.n < $2),
counted AS MATERIALIZED (
    SELECT *, small::int + (small AND small_last > small_first)::int AS smalls,
           common::int + (common AND common_last > common_first)::int AS commons
      FROM reach),
taken AS (
    SELECT 0 AS turn, 'small' AS purse, small_first AS round,
           least(small_to, (small_first + 1) * small_yen) - small_from AS yen, counted.*
      FROM counted WHERE smalls > 0
    UNION ALL
    SELECT 1, 'small', small_last, small_to - small_last * small_yen, counted.* FROM counted WHERE smalls > 1
    UNION ALL
    SELECT smalls, 'common', common_first, least(common_to, (common_first + 1) * common_yen) - common_from, counted.*
      FROM counted WHERE commons > 0
    UNION ALL
    SELECT smalls + 1, 'common', common_last, common_to - common_last * common_yen, counted.*
      FROM counted WHERE commons > 1)
INSERT INTO loading.part
SELECT t.n, t.turn, t.smalls + t.commons, t.leg_id, t.journal_id, o.id,
       t.yen * m.paid_issued_yen / (m.paid_issued_yen + m.premium_issued_yen),
       t.yen * m.premium_issued_yen / (m.paid_issued_yen + m.premium_issued_yen)
  FROM taken t
  JOIN loading.lot o ON o.purchase = t.round * t.payers + t.payer AND o.purse = t.purse
  JOIN loading.model_lot m ON m.purse = t.purse
"""
"""From where to where a payment reaches in a purse; a lot fills it round by round, and a payment meets two at most."""

PAYMENTS: Final = (
    """
INSERT INTO payment (id, number, wallet_id, store_id, mode, amount_yen, balance_after_yen, acted_by, effective_at)
SELECT id, number, wallet_id, store_id, CASE WHEN scanned THEN 'cpm' ELSE 'mpm' END, amount_yen, balance_after_yen,
       CASE WHEN scanned THEN clerk_account_id ELSE account_id END, at
  FROM loading.payment WHERE n >= $1 AND n < $2 ORDER BY n
""",
    """
INSERT INTO payment_leg (id, deed_id, kind, payment_id, programme_id, store_id, amount_yen, effective_at)
SELECT g.leg_id, g.id, 'payment', g.id, p.programme_id, g.store_id, g.amount_yen, g.at
  FROM loading.payment g, loading.pattern p WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n
""",
    """
INSERT INTO code_use (code_id, payment_id)
SELECT md5(id::text)::uuid, id FROM loading.payment WHERE n >= $1 AND n < $2 AND scanned ORDER BY n
""",
)

BOOKS: Final = (
    ALLOT,
    """
INSERT INTO payment_allocation (leg_id, lot_id, turn, paid_yen, premium_yen)
SELECT leg_id, lot_id, turn, paid_yen, premium_yen FROM loading.part WHERE n >= $1 AND n < $2 ORDER BY n, turn
""",
    """
INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at, recorded_at)
SELECT g.journal_id, p.programme_id, 'payment', g.id, g.at, g.at
  FROM loading.payment g, loading.pattern p WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n
""",
    """
WITH line AS (
    SELECT n, journal_id, 2 * turn + 1 AS line, 'wallet_paid' AS account, lot_id AS owner_id, paid_yen AS amount_yen
      FROM loading.part WHERE n >= $1 AND n < $2
    UNION ALL
    SELECT n, journal_id, 2 * turn + 2, 'wallet_premium', lot_id, premium_yen
      FROM loading.part WHERE n >= $1 AND n < $2
    UNION ALL
    SELECT g.n, g.journal_id, 2 * p.parts + 1, 'store_payable', g.store_id, -g.amount_yen
      FROM loading.payment g JOIN loading.part p ON p.n = g.n AND p.turn = 0
     WHERE g.n >= $1 AND g.n < $2 AND p.n >= $1 AND p.n < $2)
INSERT INTO ledger_posting (journal_id, line, account, owner_id, amount_yen)
SELECT journal_id, line, account, owner_id, amount_yen FROM line ORDER BY n, line
""",
)

DEEDS: Final = (
    """
WITH paid AS (
    SELECT x.n, string_agg(concat('{"programme_id": "', p.programme_id, '", "lot_id": "', x.lot_id, '", "yen": ',
                                  x.paid_yen + x.premium_yen, '}'), ', ' ORDER BY x.turn) AS parts
      FROM loading.part x, loading.pattern p WHERE x.n >= $1 AND x.n < $2 GROUP BY x.n)
INSERT INTO deed (account_id, key, fingerprint, result, finished_at)
SELECT CASE WHEN g.scanned THEN g.clerk_account_id ELSE g.account_id END, g.key, sha256(uuid_send(g.key)),
       concat('{"payment_id": "', g.id, '", "number": "', g.number, '", "store_code": "', g.store_code,
              '", "store_name": ', to_json(s.name), ', "amount_yen": ', g.amount_yen, ', "paid_at": ', to_json(g.at),
              CASE WHEN g.scanned THEN ', "mode": "cpm"}'
                   ELSE concat(', "mode": "mpm", "balance_after_yen": ', g.balance_after_yen,
                               ', "parts": [', d.parts, ']}') END)::jsonb, g.at
  FROM loading.payment g JOIN paid d ON d.n = g.n CROSS JOIN loading.pattern p JOIN store s ON s.id = p.store_id
 WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n
""",
)
"""What each door keeps under the id that its client made: the store's receipt knows neither balance nor lots.

Written as text and read as JSON, which is quicker than building it piece by piece.
"""

SPENT_TODAY: Final = (
    """
INSERT INTO spent_today (wallet_id, programme_id, day, spent_yen, limit_yen)
SELECT g.wallet_id, m.programme_id, (g.at AT TIME ZONE 'Asia/Tokyo')::date AS day, sum(g.amount_yen), m.day_limit_yen
  FROM loading.payment g, (SELECT DISTINCT programme_id, day_limit_yen FROM loading.model_lot) m
 GROUP BY g.wallet_id, m.programme_id, day, m.day_limit_yen ORDER BY day, g.wallet_id
""",
)

LOTS_ARE_SPENT: Final = (
    """
UPDATE lot l SET paid_yen = l.paid_yen - s.paid_yen, premium_yen = l.premium_yen - s.premium_yen
  FROM (SELECT lot_id, sum(paid_yen) AS paid_yen, sum(premium_yen) AS premium_yen FROM loading.part GROUP BY lot_id) s
 WHERE l.id = s.lot_id
""",
)
