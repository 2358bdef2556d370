"""Laws of care: what a carer bought or paid belongs to a care of that wallet which was open at that instant.

A deed and the beginning or end of care carry the instants at which they began, and meet at the wallet's lock
afterwards: whoever began a little earlier may come second, so a minute is left between them. A last day is an instant
that both read, and has no such margin.
"""

from typing import Final

from services.proof.proof import Theme

DEEDS_OF_CARE_FALL_WITHIN_IT: Final = """
SELECT d.deed_id AS subject,
       c.wallet_id = d.wallet_id AND d.at > c.began_at - interval '1 minute' AND d.at < coalesce(c.ends_at, 'infinity')
       AND d.at < coalesce(c.ended_at + interval '1 minute', 'infinity') AS holds
  FROM (SELECT e.deed_id, e.care_id, coalesce(p.wallet_id, b.wallet_id) AS wallet_id,
               coalesce(p.effective_at, b.reserved_at) AS at
          FROM care_deed e LEFT JOIN payment p ON p.id = e.deed_id LEFT JOIN purchase b ON b.id = e.deed_id) d
  LEFT JOIN care c ON c.id = d.care_id
"""

CARE_SINCE: Final = """
care_deed AS (SELECT * FROM care_deed
               WHERE deed_id >= $new OR care_id IN (SELECT id FROM care WHERE $altered))
"""

CARE: Final = Theme(
    common="", facts={"deeds_of_care_fall_within_it": DEEDS_OF_CARE_FALL_WITHIN_IT}, figures={}, scope=CARE_SINCE
)
