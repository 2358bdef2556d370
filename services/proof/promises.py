"""Laws of what cities promise: published terms are approved by a second officer, and lots follow them."""

from typing import Final

from services.proof.proof import WHOLE, Theme

PUBLISHED_TERMS_ARE_APPROVED: Final = """
SELECT g.id AS subject, a.approved_by <> a.proposed_by AND a.proposed_by = v.proposed_by AS holds
  FROM programme g
  LEFT JOIN programme_version v ON v.programme_id = g.id AND v.version = g.published_version
  LEFT JOIN programme_approval a ON a.programme_id = g.id AND a.version = g.published_version
 WHERE g.published_version IS NOT NULL
"""

APPROVALS_HAVE_TWO_OFFICERS: Final = """
SELECT a.programme_id AS subject, a.approved_by <> a.proposed_by AND a.proposed_by = v.proposed_by AS holds
  FROM programme_approval a
  LEFT JOIN programme_version v ON v.programme_id = a.programme_id AND v.version = a.version
"""

LOTS_KEEP_APPROVED_TERMS: Final = """
SELECT l.programme_id AS subject, a.version IS NOT NULL AS holds
  FROM (SELECT DISTINCT programme_id, programme_version FROM lot) l
  LEFT JOIN programme_approval a ON a.programme_id = l.programme_id AND a.version = l.programme_version
"""

LOTS_FOLLOW_THEIR_TERMS: Final = """
SELECT l.id AS subject,
       l.paid_issued_yen = p.units * u.paid_points AND l.premium_issued_yen = p.units * u.premium_points
       AND l.payment_limit_yen = u.payment_limit AND l.day_limit_yen = u.day_limit AS holds
  FROM lot l
  LEFT JOIN purchase p ON p.id = l.origin_id
  LEFT JOIN (SELECT v.programme_id, v.version, purse->>'code' AS purse,
                    (purse->>'paid_points')::bigint AS paid_points,
                    (purse->>'premium_points')::bigint AS premium_points,
                    (v.terms->>'payment_limit_yen')::bigint AS payment_limit,
                    (v.terms->>'day_limit_yen')::bigint AS day_limit
               FROM programme_version v, jsonb_array_elements(v.terms->'purses') AS purse) u
         ON u.programme_id = l.programme_id AND u.version = l.programme_version AND u.purse = l.purse
 WHERE l.origin = 'purchase'
"""
"""A bought lot holds its purse's points of the terms it was sold under, for each unit."""

PROMISES: Final = Theme(
    common="",
    facts={
        "published_terms_are_approved": PUBLISHED_TERMS_ARE_APPROVED,
        "approvals_have_two_officers": APPROVALS_HAVE_TWO_OFFICERS,
        "lots_keep_approved_terms": LOTS_KEEP_APPROVED_TERMS,
        "lots_follow_their_terms": LOTS_FOLLOW_THEIR_TERMS,
    },
    figures={},
    scope=WHOLE,
)
