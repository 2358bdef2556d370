"""Laws of the books themselves: journals, their postings, reversals, and the seals over them."""

from typing import Final

from services.proof.proof import Theme

TOTALS: Final = """
total AS (
    SELECT journal_id, sum(amount_yen) AS yen, count(*) AS lines, min(line) AS first, max(line) AS last
      FROM ledger_posting GROUP BY journal_id),
journal AS (
    SELECT coalesce(j.id, t.journal_id) AS id, j.id IS NOT NULL AS known, t.yen, t.lines, t.first, t.last
      FROM ledger_journal j FULL JOIN total t ON t.journal_id = j.id),
owned AS (
    SELECT DISTINCT j.programme_id, p.account, p.owner_id
      FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id WHERE p.owner_id IS NOT NULL)
"""

JOURNALS_BALANCE: Final = """
SELECT id AS subject, coalesce(yen, 0) = 0 AS holds FROM journal
"""

JOURNALS_ARE_WHOLE: Final = """
SELECT id AS subject, lines >= 2 AND first = 1 AND last = lines AS holds FROM journal
"""
"""At least two postings, numbered from 1 without a gap: none was taken out."""

POSTINGS_HAVE_A_JOURNAL: Final = """
SELECT id AS subject, known AS holds FROM journal
"""

JOURNALS_HAVE_A_PROGRAMME: Final = """
SELECT j.programme_id AS subject, p.id IS NOT NULL AS holds
  FROM (SELECT DISTINCT programme_id FROM ledger_journal) j LEFT JOIN programme p ON p.id = j.programme_id
"""

VALUE_NEVER_MIXES: Final = """
SELECT o.owner_id AS subject,
       CASE WHEN o.account IN ('wallet_paid', 'wallet_premium') THEN l.programme_id = o.programme_id
            WHEN o.account IN ('store_payable', 'payout_due', 'store_receivable') THEN s.id IS NOT NULL
            ELSE false END AS holds
  FROM owned o LEFT JOIN lot l ON l.id = o.owner_id LEFT JOIN store s ON s.id = o.owner_id
"""
"""A lot's value moves in journals of its own programme only; every other owner is a store."""

REVERSALS_MIRROR: Final = """
SELECT r.id AS subject,
       o.reverses_id IS NULL AND o.id IS NOT NULL AND o.programme_id = r.programme_id AND NOT EXISTS (
           SELECT FROM ledger_posting p WHERE p.journal_id IN (r.id, o.id)
            GROUP BY p.account, p.owner_id HAVING sum(p.amount_yen) <> 0) AS holds
  FROM ledger_journal r LEFT JOIN ledger_journal o ON o.id = r.reverses_id
 WHERE r.reverses_id IS NOT NULL
"""

JOURNALS_SINCE: Final = """
asked AS (
    SELECT id FROM ledger_journal WHERE id >= $new
     UNION SELECT reverses_id FROM ledger_journal WHERE id >= $new
     UNION SELECT journal_id FROM ledger_posting WHERE journal_id >= $new),
ledger_journal AS (SELECT * FROM ledger_journal WHERE id IN (SELECT id FROM asked)),
ledger_posting AS NOT MATERIALIZED (SELECT * FROM ledger_posting WHERE journal_id IN (SELECT id FROM asked))
"""
"""New journals, what they reverse, and new postings whether they have a journal or not."""

BOOKS: Final = Theme(
    common=TOTALS,
    facts={
        "journals_balance": JOURNALS_BALANCE,
        "journals_are_whole": JOURNALS_ARE_WHOLE,
        "postings_have_a_journal": POSTINGS_HAVE_A_JOURNAL,
        "journals_have_a_programme": JOURNALS_HAVE_A_PROGRAMME,
        "value_never_mixes": VALUE_NEVER_MIXES,
        "reversals_mirror": REVERSALS_MIRROR,
    },
    figures={},
    scope=JOURNALS_SINCE,
)

LINES: Final = """
line AS (
    SELECT journal_id, string_agg(concat_ws(':', line, account, coalesce(owner_id::text, '-'), amount_yen),
                                  ',' ORDER BY line) AS lines
      FROM ledger_posting GROUP BY journal_id),
link AS (
    SELECT position, journal_id, hash, coalesce(lag(hash) OVER (ORDER BY position), ''::bytea) AS previous,
           row_number() OVER (ORDER BY position) + greatest((SELECT position FROM proven) - 1, 0) AS place
      FROM ledger_seal),
head AS (
    SELECT j.recorded_at FROM ledger_seal s JOIN ledger_journal j ON j.id = s.journal_id
     ORDER BY s.position DESC LIMIT 1)
"""

SEALS_CHAIN: Final = """
SELECT l.journal_id AS subject, j.id IS NOT NULL AND l.hash = sha256(l.previous || convert_to(concat_ws('|',
           j.id, j.programme_id, j.kind, j.deed_id, coalesce(j.reverses_id::text, '-'),
           (extract(epoch FROM j.effective_at) * 1000000)::bigint, t.lines), 'UTF8')) AS holds
  FROM link l LEFT JOIN ledger_journal j ON j.id = l.journal_id LEFT JOIN line t ON t.journal_id = l.journal_id
 WHERE l.position > (SELECT position FROM proven)
"""
"""Each seal is recomputed from the one before it; by induction so is the whole chain."""

SEALS_HAVE_NO_GAP: Final = """
SELECT journal_id AS subject, position = place AS holds FROM link WHERE position > (SELECT position FROM proven)
"""

SEALS_LEAVE_ONLY_THE_TAIL: Final = """
SELECT j.id AS subject, coalesce(j.recorded_at >= (SELECT recorded_at FROM head) - interval '1 hour', true) AS holds
  FROM ledger_journal j LEFT JOIN ledger_seal s ON s.journal_id = j.id WHERE s.journal_id IS NULL
"""
"""What is not sealed yet was recorded after the last seal, or by a deed that ran beside the sealer."""

WHOLE_CHAIN: Final = """
proven AS (SELECT 0::bigint AS position)
"""

CHAIN_SINCE: Final = """
recent AS (SELECT * FROM ledger_journal WHERE id >= $new_or_unsealed),
proven AS (
    SELECT coalesce((SELECT min(s.position) - 1 FROM ledger_seal s JOIN recent j ON j.id = s.journal_id),
                    (SELECT max(position) FROM ledger_seal), 0) AS position),
ledger_seal AS (SELECT * FROM ledger_seal WHERE position >= (SELECT position FROM proven)),
ledger_journal AS (
    SELECT * FROM recent
     UNION ALL SELECT * FROM ledger_journal
            WHERE id < $new_or_unsealed AND id IN (SELECT journal_id FROM ledger_seal)),
ledger_posting AS (SELECT * FROM ledger_posting WHERE journal_id IN (SELECT journal_id FROM ledger_seal))
"""
"""The chain from the first seal of a new journal; what stands before it is taken as proven.

A seal may follow its journal by as much as the law of the tail allows, so new journals are
those of that much longer.
"""

SEALS: Final = Theme(
    common=LINES,
    facts={
        "seals_chain": SEALS_CHAIN,
        "seals_have_no_gap": SEALS_HAVE_NO_GAP,
        "seals_leave_only_the_tail": SEALS_LEAVE_ONLY_THE_TAIL,
    },
    figures={},
    whole=WHOLE_CHAIN,
    scope=CHAIN_SINCE,
)
