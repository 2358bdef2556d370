"""One statement for payments in which nothing is unusual: look, take and write, all in the database.

Law: it pays what the plain path (`services.payments.pay`) would pay, in exactly that way, or leaves it
alone; it refuses nothing. Whatever is not plain is answered by the plain path: several programmes or
versions of terms in one wallet, a register's code, too little value, a limit, anything suspended, an
id that is known. The tests hold the two to the same outcome over random wallets and orders.

It reads and writes tables of several packages at once, because each statement of a batch costs a round
trip and each value that passes through the program costs more than its row (docs/decisions/0021).
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from services.kit.array_text import array_text
from services.kit.clock import civil_date
from services.kit.db import Tx


class PlainRow(NamedTuple):
    """A payment to be tried: the deed's name, the payer, the store by its code or, with a phone's code, by its id.

    `fingerprint` is in hexadecimal digits. `payment_id` and `number` are new; `code_id` is the use of a pay
    code whose signature and life hold.
    """

    n: int
    account_id: UUID
    key: UUID
    fingerprint: str
    wallet_id: UUID
    store_code: str | None
    store_id: UUID | None
    device_id: UUID | None
    code_id: UUID | None
    amount_yen: int
    payment_id: UUID
    number: str


class PlainPaid(NamedTuple):
    """What was paid: the store, what the wallet holds now, and what each lot gave, in spending order."""

    n: int
    store_code: str
    store_name: str
    balance_after_yen: int
    programme_id: UUID
    lot_ids: Sequence[UUID]
    yen: Sequence[int]


STATEMENT = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text::int[], $2::text::uuid[], $3::text::uuid[], $4::text::text[], $5::text::uuid[],
                         $6::text::text[], $7::text::uuid[], $8::text::uuid[], $9::text::uuid[], $10::text::bigint[],
                         $11::text::uuid[], $12::text::text[])
      AS asked(n, account_id, key, fingerprint, wallet_id, store_code, store_id, device_id, code_id, amount_yen,
               payment_id, number)
), agreed AS MATERIALIZED (
    SELECT a.*, s.id AS at_id, s.code AS at_code, s.name AS at_name, s.store_class
      FROM asked a
      JOIN wallet w ON w.id = a.wallet_id AND w.status = 'active'
      LEFT JOIN device d ON d.id = a.device_id
      JOIN LATERAL (
           SELECT s.id, s.code, s.name, s.store_class, s.merchant_id
             FROM store s JOIN merchant m ON m.id = s.merchant_id
            WHERE s.id = coalesce(a.store_id, (SELECT o.id FROM store o WHERE o.code = a.store_code))
              AND s.status = 'active' AND m.status = 'active'
            LIMIT 1) s ON true
     WHERE EXISTS (SELECT FROM account_acts_for f JOIN account c ON c.id = f.account_id
                    WHERE f.account_id = coalesce(d.account_id, a.account_id) AND f.person_id = w.person_id
                      AND c.status = 'active')
       AND (a.device_id IS NULL OR (
               d.status = 'active' AND d.wallet_id = w.id
               AND EXISTS (SELECT FROM store_member b JOIN account c ON c.id = b.account_id
                            WHERE b.store_id = s.id AND b.account_id = a.account_id AND b.status = 'active'
                              AND c.status = 'active')
               AND NOT EXISTS (SELECT FROM code_use u WHERE u.code_id = a.code_id)))
       AND NOT EXISTS (SELECT FROM store_member b JOIN store o ON o.id = b.store_id
                        WHERE b.person_id = w.person_id AND b.status = 'active' AND o.merchant_id = s.merchant_id)
       AND NOT EXISTS (SELECT FROM deed e WHERE e.account_id = a.account_id AND e.key = a.key)
), held AS MATERIALIZED (
    SELECT a.n, a.amount_yen, l.id, l.programme_id, l.programme_version, l.paid_yen, l.premium_yen,
           l.paid_yen + l.premium_yen AS yen, l.expires_at > $14 AS valid,
           l.expires_at > $14 AND l.usable_from <= $14
               AND a.store_class = ANY (string_to_array(l.store_classes, ',')) AS usable,
           l.payment_limit_yen, l.day_limit_yen, l.expires_at,
           length(l.store_classes) - length(replace(l.store_classes, ',', '')) AS commas, l.issued_at
      FROM agreed a JOIN lot l ON l.wallet_id = a.wallet_id
     WHERE l.paid_yen + l.premium_yen > 0
), taken AS MATERIALIZED (
    SELECT n, id, programme_id, paid_yen, premium_yen, yen, turn, least(yen, amount_yen - before)::bigint AS share
      FROM (SELECT h.*, row_number() OVER o - 1 AS turn, sum(yen) OVER o - yen AS before
              FROM held h WHERE usable
            WINDOW o AS (PARTITION BY n ORDER BY expires_at, commas, issued_at, id
                         ROWS UNBOUNDED PRECEDING)) h
     WHERE before < amount_yen
), plain AS MATERIALIZED (
    SELECT a.*, h.programme_id, h.day_limit_yen, h.valid_yen - a.amount_yen AS balance_after_yen
      FROM agreed a
      JOIN (SELECT n, min(programme_id::text)::uuid AS programme_id, min(day_limit_yen) AS day_limit_yen,
                   min(payment_limit_yen) AS payment_limit_yen,
                   coalesce(sum(yen) FILTER (WHERE valid), 0)::bigint AS valid_yen,
                   coalesce(sum(yen) FILTER (WHERE usable), 0) AS usable_yen,
                   count(DISTINCT (programme_id, programme_version)) AS terms
              FROM held GROUP BY n) h ON h.n = a.n
      LEFT JOIN spent_today t ON t.wallet_id = a.wallet_id AND t.programme_id = h.programme_id AND t.day = $13
     WHERE h.terms = 1 AND h.usable_yen >= a.amount_yen AND a.amount_yen <= h.payment_limit_yen
       AND coalesce(t.spent_yen, 0) + a.amount_yen <= h.day_limit_yen
), part AS MATERIALIZED (
    SELECT t.n, t.id AS lot_id, t.turn, t.share, p.payment_id, p.programme_id,
           t.share * t.paid_yen / t.yen AS paid, t.share - t.share * t.paid_yen / t.yen AS premium
      FROM taken t JOIN plain p ON p.n = t.n
), listed AS MATERIALIZED (
    SELECT n, array_agg(lot_id ORDER BY turn) AS lot_ids, array_agg(share ORDER BY turn) AS shares,
           jsonb_agg(jsonb_build_object('programme_id', programme_id, 'lot_id', lot_id, 'yen', share) ORDER BY turn)
               AS parts
      FROM part GROUP BY n
), used AS (
    INSERT INTO code_use (code_id, payment_id)
    SELECT code_id, payment_id FROM plain WHERE code_id IS NOT NULL ORDER BY code_id
), named AS (
    INSERT INTO deed (account_id, key, fingerprint, result, finished_at)
    SELECT p.account_id, p.key, decode(p.fingerprint, 'hex'),
           jsonb_build_object('payment_id', p.payment_id, 'number', p.number, 'store_code', p.at_code,
                              'store_name', p.at_name, 'mode', CASE WHEN p.code_id IS NULL THEN 'mpm' ELSE 'cpm' END,
                              'amount_yen', p.amount_yen, 'paid_at', $15::text)
           || CASE WHEN p.code_id IS NULL THEN jsonb_build_object(
                  'balance_after_yen', p.balance_after_yen, 'parts', x.parts) ELSE '{}'::jsonb END,
           $14
      FROM plain p JOIN listed x ON x.n = p.n ORDER BY p.account_id, p.key
), spent AS (
    UPDATE lot SET paid_yen = lot.paid_yen - p.paid, premium_yen = lot.premium_yen - p.premium
      FROM part p WHERE lot.id = p.lot_id
), counted AS (
    INSERT INTO spent_today (wallet_id, programme_id, day, spent_yen, limit_yen)
    SELECT wallet_id, programme_id, $13, amount_yen, day_limit_yen FROM plain
    ON CONFLICT (wallet_id, programme_id, day)
    DO UPDATE SET spent_yen = spent_today.spent_yen + excluded.spent_yen, limit_yen = excluded.limit_yen
), paid AS (
    INSERT INTO payment (id, number, wallet_id, store_id, mode, amount_yen, balance_after_yen, acted_by, effective_at)
    SELECT payment_id, number, wallet_id, at_id, CASE WHEN code_id IS NULL THEN 'mpm' ELSE 'cpm' END,
           amount_yen, balance_after_yen, account_id, $14
      FROM plain
), leg AS (
    INSERT INTO payment_leg (id, deed_id, kind, payment_id, programme_id, store_id, amount_yen, effective_at)
    SELECT payment_id, payment_id, 'payment', payment_id, programme_id, at_id, amount_yen, $14 FROM plain
), allocated AS (
    INSERT INTO payment_allocation (leg_id, lot_id, turn, paid_yen, premium_yen)
    SELECT payment_id, lot_id, turn, paid, premium FROM part
), journal AS (
    INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at)
    SELECT payment_id, programme_id, 'payment', payment_id, $14 FROM plain
), posted AS (
    INSERT INTO ledger_posting (journal_id, line, account, owner_id, amount_yen)
    SELECT journal_id, row_number() OVER (PARTITION BY journal_id ORDER BY turn, account), account, owner_id, amount_yen
      FROM (SELECT payment_id AS journal_id, turn, 'wallet_paid' AS account, lot_id AS owner_id, paid AS amount_yen
              FROM part WHERE paid > 0
            UNION ALL
            SELECT payment_id, turn, 'wallet_premium', lot_id, premium FROM part WHERE premium > 0
            UNION ALL
            SELECT payment_id, 32767, 'store_payable', at_id, -amount_yen FROM plain) line
)
SELECT p.n, p.at_code, p.at_name, p.balance_after_yen, p.programme_id, x.lot_ids, x.shares
  FROM plain p JOIN listed x ON x.n = p.n
"""


async def pay_plainly(tx: Tx, rows: Sequence[PlainRow], paid_at: str) -> list[PlainPaid]:
    """Pay those that are plain, in no particular order. The wallets are locked, each at most once.

    `paid_at` is the deed's instant as answers write it. Needs a transaction of `Database.begin_direct`.
    """
    # Nothing here needs quoting: numbers, ids, digits, and codes of ours, which are letters and digits.
    values = [array_text(column, str) for column in zip(*rows, strict=True)]
    found = await tx.driver.fetch(STATEMENT, *values, civil_date(tx.now), tx.now, paid_at)
    return [PlainPaid(*row) for row in found]
