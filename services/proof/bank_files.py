"""Laws of bank files: two officers, bytes as fixed, every payout once; the bytes are read in `transfer_file`."""

from typing import Final

from services.proof.proof import WHOLE, Theme

PAID: Final = """
line AS (
    SELECT t.id, t.amount_yen, sum(s.payout_yen) AS payouts,
           bool_and((o.voided_at IS NOT NULL) = (f.status = 'void')) AS stands_with_its_file,
           bool_and(EXISTS (SELECT FROM payout_account own
                             WHERE own.merchant_id = s.merchant_id AND own.valid_from <= f.proposed_at
                               AND (own.bank_code, own.branch_code, own.kind, own.number)
                                 = (a.bank_code, a.branch_code, a.kind, a.number))) AS goes_home
      FROM bank_transfer t
      LEFT JOIN bank_file f ON f.id = t.bank_file_id
      LEFT JOIN payout_account a ON a.id = t.payout_account_id
      LEFT JOIN payout o ON o.transfer_id = t.id
      LEFT JOIN statement s ON s.id = o.statement_id
     GROUP BY t.id)
"""

BANK_FILES_ARE_AS_FIXED: Final = """
SELECT id AS subject, sha256 = sha256(content) AS holds FROM bank_file
"""

BANK_FILES_HAVE_TWO_OFFICERS: Final = """
SELECT id AS subject,
       CASE WHEN status = 'proposed' THEN approved_by IS NULL AND sent_at IS NULL AND paid_at IS NULL
            WHEN status = 'void' THEN sent_at IS NULL AND paid_at IS NULL
            ELSE approved_by <> proposed_by AND approved_at IS NOT NULL
                 AND (sent_at IS NOT NULL) = (status IN ('sent', 'paid')) AND (paid_at IS NOT NULL) = (status = 'paid')
            END AS holds
  FROM bank_file
"""

BANK_FILES_SUM_THEIR_TRANSFERS: Final = """
SELECT f.id AS subject, f.total_yen = t.yen AND f.transfers = t.transfers AS holds
  FROM bank_file f
  LEFT JOIN (SELECT bank_file_id, sum(amount_yen) AS yen, count(*) AS transfers
               FROM bank_transfer GROUP BY bank_file_id) t ON t.bank_file_id = f.id
"""

TRANSFERS_PAY_STATEMENTS: Final = """
SELECT id AS subject, amount_yen = payouts AND stands_with_its_file AND goes_home AS holds FROM line
"""
"""A transfer is the sum of its payouts, each to a bank account of its statement's own merchant."""

PAYOUTS_HAPPEN_ONCE: Final = """
SELECT o.statement_id AS subject,
       count(*) FILTER (WHERE o.voided_at IS NULL) <= 1 AND bool_and(s.payout_yen > 0) AS holds
  FROM payout o LEFT JOIN statement s ON s.id = o.statement_id GROUP BY o.statement_id
"""

BANK_FILES: Final = Theme(
    common=PAID,
    facts={
        "bank_files_are_as_fixed": BANK_FILES_ARE_AS_FIXED,
        "bank_files_have_two_officers": BANK_FILES_HAVE_TWO_OFFICERS,
        "bank_files_sum_their_transfers": BANK_FILES_SUM_THEIR_TRANSFERS,
        "transfers_pay_statements": TRANSFERS_PAY_STATEMENTS,
        "payouts_happen_once": PAYOUTS_HAPPEN_ONCE,
    },
    figures={},
    scope=WHOLE,
)

FILES: Final = """
SELECT f.id, f.transfer_date, f.status <> 'void',
       coalesce((SELECT sum(s.payout_yen) FROM bank_transfer t JOIN payout o ON o.transfer_id = t.id
                   JOIN statement s ON s.id = o.statement_id WHERE t.bank_file_id = f.id), 0)::bigint
  FROM bank_file f ORDER BY f.id
"""
"""Every file: its id, its day, whether it is live, and the yen of the statements that it pays."""

CONTENT: Final = """
SELECT content FROM bank_file WHERE id = $1
"""

LINES: Final = """
SELECT a.bank_code, a.branch_code, a.kind, a.number, t.amount_yen
  FROM bank_transfer t LEFT JOIN payout_account a ON a.id = t.payout_account_id
 WHERE t.bank_file_id = $1 ORDER BY t.line
"""
