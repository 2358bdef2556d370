"""One statement for payments in which nothing is unusual: look, take and write, all in the database.

Law: it pays what the plain path (`services.payments.pay`) would pay, in exactly that way, or leaves it
alone; it refuses nothing. Whatever is not plain is answered by the plain path: a payment of several programmes,
or of one of whose terms the wallet holds two versions, a register's code, too little value, a limit, anything
suspended. Of an id that stands for something already it says what. The tests hold the two to the same
outcome over random wallets and orders.

It reads and writes tables of several packages at once, because each statement of a batch costs a round
trip and each value that passes through the program costs more than its row (docs/decisions/0021).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from services.kit.array_text import array_text
from services.kit.clock import civil_date
from services.kit.db import Tx


class PlainRow(NamedTuple):
    """A payment to be tried: the deed's name, the payer, the store by its code or, with a phone's code, by its id.

    `fingerprint` is in hexadecimal digits. `session_id` is the sign-in under which it is asked for, if one is
    asked about. `payment_id` and `number` are new; `code_id` is the use of a pay
    code whose signature and life hold.
    """

    n: int
    account_id: UUID
    key: UUID
    fingerprint: str
    wallet_id: UUID
    store_code: str | None
    amount_yen: int
    payment_id: UUID
    number: str
    session_id: UUID | None
    store_id: UUID | None = None
    device_id: UUID | None = None
    code_id: UUID | None = None


class PlainTold(NamedTuple):
    """What an order is answered, as JSON.

    Where the deed's id stands for something already nothing was paid: `told_for` is the fingerprint of what was asked
    then, and the members of `told` are in another order, as the database keeps them.
    """

    n: int
    told_for: bytes | None
    told: str


def _statement(*, codes: bool) -> str:
    """The statement; without `codes` it knows no phones' codes, and spares their lookups."""
    return f"""
WITH asked AS MATERIALIZED (
    SELECT a.*, e.fingerprint AS told_for, e.result::text AS told,
           a.session_id IS NULL OR EXISTS (
               SELECT FROM session z WHERE z.id = a.session_id AND (z.account_id = a.account_id) IS TRUE
                  AND z.ended_at IS NULL AND z.expires_at > $2) AS is_signed_in
      FROM unnest($4::int[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::text[], $10::bigint[], $11::uuid[],
                  $12::text[], $13::uuid[]{", $14::uuid[], $15::uuid[], $16::uuid[]" if codes else ""})
        AS a(n, account_id, key, fingerprint, wallet_id, store_code, amount_yen, payment_id,
             number, session_id{", store_id, device_id, code_id" if codes else ""})
      LEFT JOIN LATERAL (SELECT d.fingerprint, d.result FROM deed d
                          WHERE d.account_id = a.account_id AND d.key = a.key OFFSET 0) e ON true
), plain AS MATERIALIZED (
    SELECT p.*, {_ANSWER if codes else _OWN_ANSWER} AS answer FROM (
    SELECT a.n, a.account_id, a.key, a.fingerprint, a.wallet_id, a.amount_yen, a.payment_id, a.number,
           {"a.code_id" if codes else "NULL::uuid AS code_id"}, s.id AS at_id, s.code AS at_code, s.name AS at_name,
           h.programme_id, h.day_limit_yen, h.valid_yen - a.amount_yen AS balance_after_yen, h.lot_ids, h.paid,
           h.premium, h.parts
      FROM asked a
      JOIN wallet w ON w.id = a.wallet_id AND w.status = 'active'
      {_DEVICE if codes else ""}
      JOIN store s ON {_ANY_STORE if codes else "s.code = a.store_code"} AND s.status = 'active'
      JOIN account c ON c.id = {_ACCOUNT if codes else "a.account_id"} AND c.status = 'active'
     CROSS JOIN LATERAL ({_HELD}) h
      LEFT JOIN LATERAL (SELECT y.spent_yen FROM spent_today y
                          WHERE y.wallet_id = a.wallet_id AND y.programme_id = h.programme_id AND y.day = $1
                         OFFSET 0) t ON true
     WHERE a.told_for IS NULL AND a.is_signed_in AND a.wallet_id = ANY (free)
       AND s.merchant_id <> ALL (ARRAY(SELECT m.id FROM merchant m WHERE m.status <> 'active'))
       AND EXISTS (SELECT FROM account_acts_for f WHERE f.account_id = c.id AND f.person_id = w.person_id)
       {_CODE_HOLDS if codes else ""}
       AND NOT EXISTS (SELECT FROM store_member b JOIN store o ON o.id = b.store_id
                        WHERE b.person_id = w.person_id AND b.status = 'active' AND o.merchant_id = s.merchant_id)
       AND h.one_terms AND h.usable_yen >= a.amount_yen AND a.amount_yen <= h.payment_limit_yen
       AND coalesce(t.spent_yen, 0) + a.amount_yen <= h.day_limit_yen
    OFFSET 0) p
{_PART}), {_USED if codes else ""} named AS (
    INSERT INTO deed (account_id, key, fingerprint, result, finished_at)
    SELECT account_id, key, decode(fingerprint, 'hex'), answer::jsonb, $2 FROM plain ORDER BY account_id, key
{_WRITTEN}
SELECT n, NULL::bytea, answer FROM plain
 UNION ALL
SELECT n, told_for, told FROM asked WHERE told_for IS NOT NULL AND is_signed_in
"""  # noqa: S608 - its parts are the constants below


def _function(name: str, *, codes: bool) -> str:
    """Lock the wallets that nobody else holds; then, with a look that is later than the locks, pay from these."""
    lists = "int[], uuid[], uuid[], text[], uuid[], text[], bigint[], uuid[], text[], uuid[]"
    return f"""
CREATE FUNCTION {name}(date, timestamptz, text, {lists}{", uuid[], uuid[], uuid[]" if codes else ""})
RETURNS TABLE (n int, told_for bytea, told text)
LANGUAGE plpgsql SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $function$
#variable_conflict use_column
DECLARE
    free uuid[];
BEGIN
    SELECT array_agg(id) INTO free FROM (
        SELECT id FROM wallet WHERE id = ANY ($8) ORDER BY id FOR UPDATE SKIP LOCKED) w;
    RETURN QUERY
{_statement(codes=codes)};
END
$function$
"""  # noqa: S608 - its parts are the constants below


_HELD: Final = """
           SELECT (array_agg(first_programme))[1] AS programme_id,
                  bool_and((share <= 0 OR programme_id = first_programme)
                           AND (programme_id <> first_programme OR programme_version = first_version)) AS one_terms,
                  min(day_limit_yen) FILTER (WHERE programme_id = first_programme) AS day_limit_yen,
                  min(payment_limit_yen) FILTER (WHERE programme_id = first_programme) AS payment_limit_yen,
                  coalesce(sum(yen) FILTER (WHERE valid), 0)::bigint AS valid_yen,
                  coalesce(sum(yen) FILTER (WHERE usable), 0) AS usable_yen,
                  array_agg(id) FILTER (WHERE share > 0) AS lot_ids,
                  string_agg(concat('{"programme_id":"', programme_id, '","lot_id":"', id, '","yen":', share, '}'), ',')
                      FILTER (WHERE share > 0) AS parts,
                  array_agg(share * paid_yen / yen) FILTER (WHERE share > 0) AS paid,
                  array_agg(share - share * paid_yen / yen) FILTER (WHERE share > 0) AS premium
             FROM (SELECT o.*, CASE WHEN usable THEN least(yen, a.amount_yen - (sum(yen) OVER spending - yen))
                                    ELSE 0 END::bigint AS share,
                          first_value(programme_id) OVER spending AS first_programme,
                          first_value(programme_version) OVER spending AS first_version
                     FROM (SELECT l.id, l.programme_id, l.programme_version, l.paid_yen,
                                  l.paid_yen + l.premium_yen AS yen, l.payment_limit_yen, l.day_limit_yen,
                                  l.expires_at > $2 AS valid,
                                  l.expires_at > $2 AND l.usable_from <= $2
                                      AND s.store_class = ANY (string_to_array(l.store_classes, ',')) AS usable,
                                  l.expires_at, l.issued_at,
                                  length(l.store_classes) - length(replace(l.store_classes, ',', '')) AS commas
                             FROM lot l WHERE l.wallet_id = a.wallet_id AND l.paid_yen + l.premium_yen > 0) o
                   WINDOW spending AS (ORDER BY usable DESC, expires_at, commas, issued_at, id
                                       ROWS UNBOUNDED PRECEDING)
                    ORDER BY usable DESC, expires_at, commas, issued_at, id) l"""
"""A wallet's lots in spending order, and what each gives; one row a payer. `parts` are those of the answer."""

_PART: Final = """), part AS MATERIALIZED (
    SELECT p.payment_id, p.at_id, p.amount_yen, u.lot_id, u.turn - 1 AS turn, u.paid, u.premium,
           u.turn = cardinality(p.lot_ids) AS is_last,
           sum(CASE WHEN u.paid > 0 AND u.premium > 0 THEN 2 ELSE 1 END)
               OVER (PARTITION BY p.n ORDER BY u.turn ROWS UNBOUNDED PRECEDING) AS lines
      FROM plain p, unnest(p.lot_ids, p.paid, p.premium) WITH ORDINALITY AS u(lot_id, paid, premium, turn)
"""
"""What each lot gives, and how many lines of the journal are written after it."""

_WRITTEN: Final = """), spent AS (
    UPDATE lot SET paid_yen = lot.paid_yen - p.paid, premium_yen = lot.premium_yen - p.premium
      FROM part p WHERE lot.id = p.lot_id
), counted AS (
    INSERT INTO spent_today AS t (wallet_id, programme_id, day, spent_yen, limit_yen)
    SELECT wallet_id, programme_id, $1, amount_yen, day_limit_yen FROM plain
    ON CONFLICT (wallet_id, programme_id, day)
       DO UPDATE SET spent_yen = t.spent_yen + excluded.spent_yen, limit_yen = excluded.limit_yen
), paid AS (
    INSERT INTO payment (id, number, wallet_id, store_id, mode, amount_yen, balance_after_yen, acted_by, effective_at)
    SELECT payment_id, number, wallet_id, at_id, CASE WHEN code_id IS NULL THEN 'mpm' ELSE 'cpm' END,
           amount_yen, balance_after_yen, account_id, $2
      FROM plain
), leg AS (
    INSERT INTO payment_leg (id, deed_id, kind, payment_id, programme_id, store_id, amount_yen, effective_at)
    SELECT payment_id, payment_id, 'payment', payment_id, programme_id, at_id, amount_yen, $2 FROM plain
), allocated AS (
    INSERT INTO payment_allocation (leg_id, lot_id, turn, paid_yen, premium_yen)
    SELECT payment_id, lot_id, turn, paid, premium FROM part
), journal AS (
    INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at)
    SELECT payment_id, programme_id, 'payment', payment_id, $2 FROM plain
), posted AS (
    INSERT INTO ledger_posting (journal_id, line, account, owner_id, amount_yen)
    SELECT payment_id, CASE WHEN premium > 0 THEN lines - 1 ELSE lines END, 'wallet_paid', lot_id, paid
      FROM part WHERE paid > 0
     UNION ALL
    SELECT payment_id, lines, 'wallet_premium', lot_id, premium FROM part WHERE premium > 0
     UNION ALL
    SELECT payment_id, lines + 1, 'store_payable', at_id, -amount_yen FROM part WHERE is_last
)
"""
"""Everything that a payment writes, but for its deed and the code that it used up."""

_ACCOUNT: Final = "coalesce(d.account_id, a.account_id)"
_DEVICE: Final = "LEFT JOIN device d ON d.id = a.device_id"
_ANY_STORE: Final = "s.id = coalesce(a.store_id, (SELECT o.id FROM store o WHERE o.code = a.store_code))"
_CODE_HOLDS: Final = """
       AND (a.device_id IS NULL OR (
               d.status = 'active' AND d.wallet_id = w.id
               AND EXISTS (SELECT FROM store_member b JOIN account c ON c.id = b.account_id
                            WHERE b.store_id = s.id AND b.account_id = a.account_id AND b.status = 'active'
                              AND c.status = 'active' OFFSET 0)
               AND NOT EXISTS (SELECT FROM code_use u WHERE u.code_id = a.code_id OFFSET 0)))"""
_USED: Final = """used AS (
    INSERT INTO code_use (code_id, payment_id)
    SELECT code_id, payment_id FROM plain WHERE code_id IS NOT NULL ORDER BY code_id
), """


def _answer(mode: str, rest: str = "") -> str:
    """The deed's answer as JSON text: put together from text, which takes a third of building it as a value.

    Ids, numbers and codes hold nothing that would have to be escaped; a store's name may.
    """
    return (
        """concat('{"payment_id":"', payment_id, '","number":"', number, '","store_code":"', at_code,"""
        f"""'","store_name":', to_json(at_name), ',"mode":"{mode}","amount_yen":', amount_yen,"""
        f"""',"paid_at":"', $3::text, '"'{rest}, '}}')"""
    )


_OWN_ANSWER: Final = _answer("mpm", """, ',"balance_after_yen":', balance_after_yen, ',"parts":[', parts, ']'""")
_ANSWER: Final = f"CASE WHEN code_id IS NULL THEN {_OWN_ANSWER} ELSE {_answer('cpm')} END"
"""What a store is told of a payment by code holds nothing of who paid."""

_OF_STORES_CODE: Final = PlainRow._fields.index("store_id")
"""How many columns an order with a store's code has."""
FUNCTIONS: Final = {
    "pay_by_stores_code": _function("pay_by_stores_code", codes=False),
    "pay_by_any_code": _function("pay_by_any_code", codes=True),
}
"""What the migrations make of it. They keep a copy, as of everything: another text here needs another migration."""


def _call(function: str, columns: int) -> str:
    kinds = ("int", "uuid", "uuid", "text", "uuid", "text", "bigint", "uuid", "text", "uuid", "uuid", "uuid", "uuid")
    lists = ", ".join(f"${place}::text::{kind}[]" for place, kind in enumerate(kinds[:columns], 4))
    return f"SELECT * FROM {function}($1, $2, $3, {lists})"  # noqa: S608 - names of ours


_BY_STORES_CODE: Final = _call("pay_by_stores_code", _OF_STORES_CODE)
_BY_ANY_CODE: Final = _call("pay_by_any_code", len(PlainRow._fields))


async def pay_plainly(tx: Tx, rows: Sequence[PlainRow], paid_at: str) -> list[PlainTold]:
    """Pay those that are plain and whose wallets nobody else holds, in no particular order; each wallet at most once.

    `paid_at` is the deed's instant as answers write it. One statement, which needs no transaction around it.
    """
    by_code = any(row.device_id is not None for row in rows)
    columns = tuple(zip(*rows, strict=True))
    # Nothing here needs quoting: numbers, ids, digits, and codes of ours, which are letters and digits.
    values = [array_text(column, str) for column in (columns if by_code else columns[:_OF_STORES_CODE])]
    statement = _BY_ANY_CODE if by_code else _BY_STORES_CODE
    found = await tx.driver.fetch(statement, civil_date(tx.now), tx.now, paid_at, *values)
    return [PlainTold(*row) for row in found]
