"""The masses of a town, set by set: stores, residents, and what each of them bought, after the pattern.

Only ids, numbers, addresses, keys and instants come from here; everything else is copied from the pattern.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from infra.benchmarks.loading import Loader, Progress
from infra.benchmarks.pattern import Pattern
from infra.benchmarks.townspeople import Ground, came
from infra.phone import SandboxPhone
from services.kit.ids import Entropy, SeededEntropy, uuid7
from services.kit.numbers import make_number, number_space
from services.kit.store_class import StoreClass
from services.merchants.shops import MERCHANT_NUMBER_LENGTH, MERCHANT_PREFIX
from services.wallets import buy
from services.wallets import open as opening

EVERY_LARGE = 10
"""Every tenth store is a large one, which takes the common purse only."""

CHUNK = 10_000
"""Residents, or purchases, of one transaction."""

KEYS = 500
"""Phones' keys that are made at a stretch: some tens of milliseconds."""

SELLING = timedelta(days=28)
"""Within so many days everybody has bought."""

_SEED = 0x3A55


def store_class(n: int) -> StoreClass:
    """Of the n-th store."""
    return StoreClass.LARGE if n % EVERY_LARGE == EVERY_LARGE - 1 else StoreClass.SMALL


async def settle(load: Loader, people: Ground, pattern: Pattern, progress: Progress) -> None:
    """Every store and every resident of the ground."""
    entropy = SeededEntropy(_SEED)
    await load.together(PREPARE)
    await load.note("pattern", tuple(vars(pattern)), [tuple(vars(pattern).values())])
    await load.together(PATTERN)
    async with progress.step("stores open", 1):
        await load.note("till", TILL, _tills(people, entropy))
        await load.together(SETTLE_IN)
    residents, total = _residents(people, entropy), len(people.payers)
    async with progress.step("residents move in", 8) as reached:
        for begin in range(0, total, CHUNK):
            end = min(begin + CHUNK, total)
            for part in range(begin, end, KEYS):
                await load.note("payer", PAYER, list(islice(residents, min(KEYS, end - part))))
                reached(part / total)
            await load.run("ANALYZE loading.payer")
            await load.together(MOVE_IN, begin, end)


async def sell(load: Loader, people: Ground, opens: datetime, purchases_each: int, progress: Progress) -> None:
    """Everybody buys `purchases_each` times what the pattern bought, one round after the other."""
    entropy, payers = SeededEntropy(_SEED + 1), len(people.payers)
    total = payers * purchases_each
    purses = [row[0] for row in await load.ask("SELECT purse FROM loading.model_lot ORDER BY purse")]
    async with progress.step("residents buy", 8 * purchases_each) as reached:
        for begin in range(0, total, CHUNK):
            end = min(begin + CHUNK, total)
            instants = [opens + SELLING * (n / total) for n in range(begin, end)]
            bought = list(_purchases(begin, payers, instants, entropy))
            await load.note("purchase", PURCHASE, bought)
            lots = [(each[0], purse, uuid7(each[-1], entropy)) for each in bought for purse in purses]
            await load.note("lot", LOT, lots)
            await load.run("ANALYZE loading.purchase, loading.lot")
            await load.together(BUY, begin, end)
            reached(end / total)
        await load.together(COUNT)


def _tills(people: Ground, entropy: Entropy) -> Iterator[tuple[object, ...]]:
    for n, till in enumerate(people.tills):
        instant = came(n)
        number = _number(MERCHANT_PREFIX, MERCHANT_NUMBER_LENGTH, entropy)
        merchant_id, payout_account_id = uuid7(instant, entropy), uuid7(instant, entropy)
        ids = (merchant_id, payout_account_id, till.store_id, till.clerk_account_id)
        yield (n, *ids, number, till.store_code, store_class(n).value, instant)


def _residents(people: Ground, entropy: Entropy) -> Iterator[tuple[object, ...]]:
    for n, payer in enumerate(people.payers):
        instant = came(n)
        key = SandboxPhone(payer.secret).public_jwk()
        number = _number(opening.NUMBER_PREFIX, opening.NUMBER_LENGTH, entropy)
        ids = (payer.account_id, uuid7(instant, entropy), payer.wallet_id, payer.device_id)
        yield (n, *ids, number, f"+8190{10_000_000 + n}", key["x"], key["y"], instant)


def _purchases(
    begin: int, payers: int, instants: list[datetime], entropy: Entropy
) -> Iterator[tuple[int, int, object, object, str, datetime]]:
    for n, instant in enumerate(instants, start=begin):
        number = _number(buy.NUMBER_PREFIX, buy.NUMBER_LENGTH, entropy)
        yield n, n % payers, uuid7(instant, entropy), uuid7(instant, entropy), number, instant


def _number(prefix: str, length: int, entropy: Entropy) -> str:
    return make_number(prefix, int.from_bytes(entropy.take(16)) % number_space(length), length)


SIGN_IN = """
INSERT INTO session (id, account_id, carrier, client, family_hash, turn_hash, opened_at, refreshed_at, expires_at,
                     latest_at)
SELECT {0}, {0}, 'bearer', 'benchmark', sha256({0}::text::bytea), sha256({0}::text::bytea), came, came,
       came + interval '100 years', came + interval '100 years' FROM {1} ORDER BY n
"""
"""Everybody is signed in for good, in `townspeople.session_of`; nobody knows a token that refreshes it."""

PREPARE = (
    "CREATE SCHEMA loading",
    """
CREATE UNLOGGED TABLE loading.pattern (
    programme_id uuid, merchant_id uuid, store_id uuid, clerk_account_id uuid, wallet_id uuid, purchase_id uuid)
""",
    """
CREATE UNLOGGED TABLE loading.till (
    n int PRIMARY KEY, merchant_id uuid, payout_account_id uuid, store_id uuid, clerk_account_id uuid,
    merchant_number text, store_code text, store_class text, came timestamptz)
""",
    """
CREATE UNLOGGED TABLE loading.payer (
    n int PRIMARY KEY, account_id uuid, person_id uuid, wallet_id uuid, device_id uuid,
    number text, phone text, x text, y text, came timestamptz)
""",
    """
CREATE UNLOGGED TABLE loading.purchase (
    n int PRIMARY KEY, payer int, id uuid, journal_id uuid, number text, paid_at timestamptz)
""",
    """
CREATE UNLOGGED TABLE loading.lot (purchase int, purse text, id uuid, PRIMARY KEY (purchase, purse))
""",
)
"""What the loader notes down: row numbers from 0, and ids."""

PATTERN = (
    """
CREATE UNLOGGED TABLE loading.model_purchase AS
SELECT b.* FROM loading.pattern p JOIN purchase b ON b.id = p.purchase_id
""",
    """
CREATE UNLOGGED TABLE loading.model_lot AS
SELECT l.* FROM loading.pattern p JOIN lot l ON l.origin_id = p.purchase_id
""",
    """
CREATE UNLOGGED TABLE loading.model_journal AS
SELECT j.* FROM loading.pattern p JOIN ledger_journal j ON j.deed_id = p.purchase_id
""",
    """
CREATE UNLOGGED TABLE loading.model_posting AS
SELECT s.line, s.account, l.purse, s.amount_yen
  FROM loading.model_journal j JOIN ledger_posting s ON s.journal_id = j.id
  LEFT JOIN loading.model_lot l ON l.id = s.owner_id
""",
)
"""What one resident bought, for all others; `purse` says whose lot a posting belongs to."""

TILL = (
    "n",
    "merchant_id",
    "payout_account_id",
    "store_id",
    "clerk_account_id",
    "merchant_number",
    "store_code",
    "store_class",
    "came",
)
PAYER = ("n", "account_id", "person_id", "wallet_id", "device_id", "number", "phone", "x", "y", "came")
PURCHASE = ("n", "payer", "id", "journal_id", "number", "paid_at")
LOT = ("purchase", "purse", "id")

SETTLE_IN = (
    """
INSERT INTO merchant (id, number, name, invoice_number, status, registered_at)
SELECT t.merchant_id, t.merchant_number, m.name, m.invoice_number, m.status, t.came
  FROM loading.till t, loading.pattern p JOIN merchant m ON m.id = p.merchant_id ORDER BY t.n
""",
    """
INSERT INTO payout_account (id, merchant_id, bank_code, bank_kana, branch_code, branch_kana, kind, number,
                            holder_kana, override_reason, set_by, valid_from)
SELECT t.payout_account_id, t.merchant_id, a.bank_code, a.bank_kana, a.branch_code, a.branch_kana, a.kind,
       lpad((1000000 + t.n)::text, 7, '0'), a.holder_kana, a.override_reason, a.set_by, t.came
  FROM loading.till t, loading.pattern p JOIN payout_account a ON a.merchant_id = p.merchant_id ORDER BY t.n
""",
    """
INSERT INTO store (id, code, merchant_id, name, name_latin, store_class, mcc, postal_code, city_latin, status,
                   registered_at)
SELECT t.store_id, t.store_code, t.merchant_id, s.name, s.name_latin, t.store_class, s.mcc, s.postal_code,
       s.city_latin, s.status, t.came
  FROM loading.till t, loading.pattern p JOIN store s ON s.id = p.store_id ORDER BY t.n
""",
    """
INSERT INTO account (id, kind, email, password_hash, name, status, registered_at, opened_by)
SELECT t.clerk_account_id, a.kind, 'clerk-' || t.n || '@shop.example', a.password_hash, a.name, a.status, t.came,
       a.opened_by
  FROM loading.till t, loading.pattern p JOIN account a ON a.id = p.clerk_account_id ORDER BY t.n
""",
    """
INSERT INTO store_member (store_id, account_id, role, status, since)
SELECT t.store_id, t.clerk_account_id, m.role, m.status, t.came
  FROM loading.till t, loading.pattern p JOIN store_member m ON m.store_id = p.store_id ORDER BY t.n
""",
    SIGN_IN.format("clerk_account_id", "loading.till"),
)

MOVE_IN = (
    """
INSERT INTO person (id, registered_at) SELECT person_id, came FROM loading.payer
 WHERE n >= $1 AND n < $2 ORDER BY n
""",
    """
INSERT INTO account (id, kind, phone, status, registered_at)
SELECT account_id, 'resident', phone, 'active', came FROM loading.payer WHERE n >= $1 AND n < $2 ORDER BY n
""",
    """
INSERT INTO account_acts_for (account_id, person_id, relation)
SELECT account_id, person_id, 'self' FROM loading.payer WHERE n >= $1 AND n < $2 ORDER BY n
""",
    SIGN_IN.format("account_id", "loading.payer WHERE n >= $1 AND n < $2"),
    """
INSERT INTO wallet (id, number, person_id, status, opened_at)
SELECT wallet_id, number, person_id, 'active', came FROM loading.payer WHERE n >= $1 AND n < $2 ORDER BY n
""",
    """
INSERT INTO device (id, wallet_id, account_id, name, public_jwk, status, registered_at)
SELECT g.device_id, g.wallet_id, g.account_id, d.name, d.public_jwk || jsonb_build_object('x', g.x, 'y', g.y),
       d.status, g.came
  FROM loading.payer g, loading.pattern p JOIN device d ON d.wallet_id = p.wallet_id
 WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n
""",
)

BUY = (
    """
INSERT INTO purchase (id, number, wallet_id, programme_id, programme_version, units, price_yen, received_yen, points,
                      status, checkout_id, reserved_at, reserved_until, paid_at)
SELECT g.id, g.number, r.wallet_id, b.programme_id, b.programme_version, b.units, b.price_yen, b.received_yen,
       b.points, b.status, 'checkout-' || g.id, g.paid_at, g.paid_at + (b.reserved_until - b.reserved_at), g.paid_at
  FROM loading.purchase g JOIN loading.payer r ON r.n = g.payer, loading.model_purchase b
 WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n
""",
    """
INSERT INTO lot (id, wallet_id, programme_id, programme_version, purse, store_classes, origin, origin_id,
                 paid_issued_yen, premium_issued_yen, paid_yen, premium_yen, payment_limit_yen, day_limit_yen,
                 issued_at, usable_from, first_expires_at, expires_at)
SELECT o.id, r.wallet_id, l.programme_id, l.programme_version, l.purse, l.store_classes, l.origin, g.id,
       l.paid_issued_yen, l.premium_issued_yen, l.paid_issued_yen, l.premium_issued_yen, l.payment_limit_yen,
       l.day_limit_yen, g.paid_at, g.paid_at, l.first_expires_at, l.expires_at
  FROM loading.purchase g JOIN loading.payer r ON r.n = g.payer JOIN loading.lot o ON o.purchase = g.n
  JOIN loading.model_lot l ON l.purse = o.purse
 WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n, o.purse
""",
    """
INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at, recorded_at)
SELECT g.journal_id, j.programme_id, j.kind, g.id, g.paid_at, g.paid_at
  FROM loading.purchase g, loading.model_journal j WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n
""",
    """
INSERT INTO ledger_posting (journal_id, line, account, owner_id, amount_yen)
SELECT g.journal_id, s.line, s.account, o.id, s.amount_yen
  FROM loading.purchase g CROSS JOIN loading.model_posting s
  LEFT JOIN loading.lot o ON o.purchase = g.n AND o.purse = s.purse
 WHERE g.n >= $1 AND g.n < $2 ORDER BY g.n, s.line
""",
)

COUNT = (
    """
INSERT INTO bought (wallet_id, programme_id, bought_yen, cap_yen)
SELECT r.wallet_id, o.programme_id, (SELECT count(*) FROM loading.purchase WHERE payer = 0) * o.bought_yen, o.cap_yen
  FROM loading.payer r, loading.pattern p JOIN bought o ON o.wallet_id = p.wallet_id ORDER BY r.n
""",
    """
UPDATE programme_stock k SET sold_units = k.sold_units + (SELECT count(*) FROM loading.purchase) * b.units
  FROM loading.model_purchase b WHERE k.programme_id = b.programme_id
""",
)
