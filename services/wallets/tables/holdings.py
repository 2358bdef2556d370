"""Statements on lots: what is held, taken, given back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Executable,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, distinct_on, insert
from sqlalchemy.sql.dml import ReturningUpdate

from services.identity.clauses import acts_for, new_phone_limit
from services.kit.clock import civil_date
from services.kit.db import Tx
from services.kit.sets import any_of, as_rows, insert_rows, rows_later, values_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.wallets.lots import Lot, Origin, Parts
from services.wallets.tables.access import in_line_of
from services.wallets.tables.care import CareRow, carer_cares
from services.wallets.tables.schema import DeviceRow, GrantRow, LotRow, SpentTodayRow, WalletRow
from services.wallets.wallet import Absent, Payer, PayerAsked, PayingDevice, UnderCare, Wallet

LOT = tuple(getattr(LotRow, name) for name in Lot.__dataclass_fields__)
_CLASSES_AT, _ORIGIN_AT = (tuple(Lot.__dataclass_fields__).index(name) for name in ("store_classes", "origin"))
_ORIGINS = {origin.value: origin for origin in Origin}


@lru_cache(maxsize=1_000)
def _classes(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def lot_of(row: Sequence[Any]) -> Lot:
    """A lot from a row of `LOT`'s columns."""
    values = list(row)
    values[_CLASSES_AT], values[_ORIGIN_AT] = _classes(row[_CLASSES_AT]), _ORIGINS[row[_ORIGIN_AT]]
    return Lot(*values)


async def insert_lots(tx: Tx, lots: Sequence[Lot]) -> None:
    """Write new lots, any number in one statement."""
    rows = [vars(lot) | {"origin": lot.origin.value, "store_classes": ",".join(lot.store_classes)} for lot in lots]
    await tx.connection.execute(insert_rows(LotRow, rows))


async def read_lots(tx: Tx, wallet_id: UUID) -> list[Lot]:
    """Every lot of a wallet that still holds something, expired or not."""
    return [lot_of(row) for row in await _LOTS_HELD.rows(tx, {"wallet_id": wallet_id})]


def _lots_held() -> Executable:
    its = LotRow.wallet_id == bindparam("wallet_id", type_=Uuid())
    return select(*LOT).where(its, LotRow.paid_yen + LotRow.premium_yen > 0).order_by(LotRow.id)


_LOTS_HELD = Statement(_lots_held)


async def read_lots_by_id(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, Lot]:
    query = select(*LOT).where(LotRow.id == any_of(lot_ids))
    return {row[0]: lot_of(row) for row in await tx.connection.execute(query)}


async def read_lots_of_deed(tx: Tx, origin_id: UUID) -> list[Lot]:
    """The lots that a purchase or grant issued; not those that have taken their place."""
    issued = (LotRow.origin_id == origin_id, LotRow.moved_from_id.is_(None))
    query = select(*LOT).where(*issued).order_by(LotRow.id)
    return [lot_of(row) for row in await tx.connection.execute(query)]


async def read_last_lots(tx: Tx, wallet_ids: Collection[UUID]) -> dict[UUID, Lot]:
    """The lot of each wallet that lives longest, empty or not; wallets that never had one are left out."""
    query = select(*LOT).ext(distinct_on(LotRow.wallet_id)).where(LotRow.wallet_id == any_of(wallet_ids))
    query = query.order_by(LotRow.wallet_id, LotRow.expires_at.desc(), LotRow.id)
    lots = [lot_of(row) for row in await tx.connection.execute(query)]
    return {lot.wallet_id: lot for lot in lots}


async def lot_ids_of(tx: Tx, wallet_id: UUID) -> list[UUID]:
    """Every lot of a wallet, and of those that were merged into it."""
    query = select(LotRow.id).where(in_line_of(LotRow.wallet_id, wallet_id)).order_by(LotRow.id)
    return list((await tx.connection.execute(query)).scalars())


def _limit(device_id: ColumnElement[Any], account_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a new phone pays at once. A store's code does not say which phone read it: any new one of the account's."""
    at = bindparam("at", type_=Instant)
    of_device = case((DeviceRow.limited_until > at, DeviceRow.limit_yen))
    return case((device_id.is_not(None), of_device), else_=new_phone_limit(account_id, at))


def _payers() -> Executable:
    asked = values_later("asked", n=Integer(), wallet_id=Uuid(), device_id=Uuid(), account_id=Uuid())
    account = func.coalesce(asked.c.account_id, DeviceRow.account_id)
    who = (
        select(
            asked.c.n,
            WalletRow.id.label("wallet_id"),
            WalletRow.number,
            WalletRow.person_id,
            WalletRow.status,
            acts_for(account, WalletRow.person_id).label("may"),
            DeviceRow.id.label("device_id"),
            DeviceRow.wallet_id.label("device_wallet_id"),
            DeviceRow.status.label("device_status"),
            cast(DeviceRow.public_jwk, Text).label("public_jwk"),
            _limit(asked.c.device_id, asked.c.account_id).label("phone_limit_yen"),
            CareRow.id.label("care_id"),
            CareRow.carer_id,
            account.label("account_id"),
        )
        .select_from(asked)
        .outerjoin(WalletRow, WalletRow.id == asked.c.wallet_id)
        .outerjoin(DeviceRow, DeviceRow.id == asked.c.device_id)
        .outerjoin(CareRow, carer_cares(account, WalletRow.person_id, bindparam("at", type_=Instant)))
        .cte("who")
        .prefix_with("MATERIALIZED")  # asked once a payer, not once a lot
    )
    today = and_(
        SpentTodayRow.wallet_id == LotRow.wallet_id,
        SpentTodayRow.programme_id == LotRow.programme_id,
        SpentTodayRow.day == bindparam("day", type_=Date),
    )
    holds = and_(LotRow.wallet_id == who.c.wallet_id, LotRow.paid_yen + LotRow.premium_yen > 0)
    query = select(*who.c, func.coalesce(SpentTodayRow.spent_yen, 0), *LOT)
    return query.select_from(who).outerjoin(LotRow, holds).outerjoin(SpentTodayRow, today)


_PAYERS = Statement(_payers)


PAYER_COLUMNS = 15
"""How many columns of `_payers` come before those of the lot."""


async def read_payers(tx: Tx, asked: Sequence[PayerAsked]) -> list[Payer | Absent]:
    """Who pays, with what, as it is now, for each that was asked, in their order; lock the wallets first.

    Absent where there is no such wallet or phone, or where no open account that was asked for, or that
    the phone belongs to, acts for the wallet's person or cares for them at this instant. A card needs no
    account: its holder may have none.
    """
    values = {
        "asked_n": list(range(len(asked))),
        "asked_wallet_id": [each.wallet_id for each in asked],
        "asked_device_id": [each.device_id for each in asked],
        "asked_account_id": [each.account_id for each in asked],
        "day": civil_date(tx.now),
        "at": tx.now,
    }
    found: list[Payer | Absent] = [Absent.DEVICE if each.device_id else Absent.WALLET for each in asked]
    for row in await _PAYERS.rows(tx, values):
        place = row[0]
        payer = found[place]
        if isinstance(payer, Absent):
            device = _device(row)
            if row[1] is None and device is not None:
                found[place] = Absent.WALLET
            # A phone's code that names another wallet than the phone's is the code's own fault, to be told as such.
            foreign = device is not None and device.wallet_id != row[1]
            may = row[5] or asked[place].by_card or foreign or row[11] is not None
            if row[1] is None or not may:
                continue
            care = None if row[5] or row[11] is None else UnderCare(*row[11:14])
            payer = found[place] = Payer(Wallet(*row[1:5]), device, [], {}, row[10], care)
        if row[PAYER_COLUMNS] is not None:
            lot = lot_of(row[PAYER_COLUMNS:])
            payer.lots.append(lot)
            payer.spent_today[lot.programme_id] = row[PAYER_COLUMNS - 1]
    return found


def _device(row: Sequence[Any]) -> PayingDevice | None:
    return None if row[6] is None else PayingDevice(row[6], row[7], row[8], row[9])


PARTS = (LotRow.id, LotRow.paid_yen, LotRow.premium_yen)


@cache
def _change_lots() -> ReturningUpdate[Any]:
    change = rows_later("change", PARTS)
    return (
        update(LotRow)
        .where(LotRow.id == change.c.id)
        .values(
            paid_yen=LotRow.paid_yen + change.c.paid_yen,
            premium_yen=LotRow.premium_yen + change.c.premium_yen,
        )
        .returning(LotRow.id)
    )


def _changes(parts: Sequence[Parts], sign: int) -> dict[str, list[Any]]:
    return {
        "change_id": [part.lot_id for part in parts],
        "change_paid_yen": [sign * part.paid_yen for part in parts],
        "change_premium_yen": [sign * part.premium_yen for part in parts],
    }


SPENT = ("wallet_id", "programme_id", "spent_yen", "limit_yen")


def _take() -> Insert:
    taken = rows_later(SpentTodayRow.__tablename__, tuple(getattr(SpentTodayRow, key) for key in SPENT))
    day = cast(bindparam("day", type_=Date), Date)
    count = insert(SpentTodayRow).from_select([*SPENT, "day"], select(*(taken.c[key] for key in SPENT), day))
    count = count.on_conflict_do_update(
        index_elements=["wallet_id", "programme_id", "day"],
        set_={
            "spent_yen": SpentTodayRow.spent_yen + count.excluded.spent_yen,
            "limit_yen": count.excluded.limit_yen,
        },
    )
    return count.add_cte(_change_lots().cte("changed"))


_TAKE = Statement(_take)


async def take_from_lots(tx: Tx, parts: Sequence[Parts], spent: Sequence[tuple[UUID, UUID, int, int]]) -> None:
    """Take parts from locked wallets' lots and count them against the day, in one statement.

    `spent` holds (wallet, programme, yen, the day's limit in yen), each pair once. The CHECKs on both
    tables are the guarantee that nothing is overdrawn.
    """
    wallets, programmes, yen, limits = zip(*spent, strict=True)
    values = _changes(parts, -1)
    values |= {
        "spent_today_wallet_id": list(wallets),
        "spent_today_programme_id": list(programmes),
        "spent_today_spent_yen": list(yen),
        "spent_today_limit_yen": list(limits),
    }
    await _TAKE.rows(tx, values | {"day": civil_date(tx.now)})


async def give_to_lots(tx: Tx, parts: Sequence[Parts]) -> None:
    """Give parts back to locked lots; one that was put aside meanwhile, at a later instant, is looked at again."""
    await tx.connection.execute(_change_lots().values(lapsed_at=None), _changes(parts, +1))


async def empty_lots(tx: Tx, parts: Sequence[Parts]) -> None:
    """Take parts from locked lots without counting them as spent: an undone purchase."""
    await tx.connection.execute(_change_lots(), _changes(parts, -1))


async def extend_lots(tx: Tx, until: Mapping[UUID, datetime]) -> None:
    """Give lots a new expiry: they are looked at again when that is over."""
    rows = [{"id": lot_id, "expires_at": instant} for lot_id, instant in until.items()]
    change = as_rows("change", (LotRow.id, LotRow.expires_at), rows)
    statement = update(LotRow).where(LotRow.id == change.c.id).values(expires_at=change.c.expires_at, lapsed_at=None)
    await tx.connection.execute(statement)


async def uncount_spent(tx: Tx, wallet_id: UUID, day: date, spent: Mapping[UUID, int]) -> None:
    """A payment cancelled on its own day no longer counts against that day's limits."""
    rows = [{"programme_id": programme_id, "spent_yen": yen} for programme_id, yen in spent.items()]
    change = as_rows("change", (SpentTodayRow.programme_id, SpentTodayRow.spent_yen), rows)
    statement = (
        update(SpentTodayRow)
        .where(
            SpentTodayRow.wallet_id == wallet_id,
            SpentTodayRow.day == day,
            SpentTodayRow.programme_id == change.c.programme_id,
        )
        .values(spent_yen=SpentTodayRow.spent_yen - change.c.spent_yen)
    )
    await tx.connection.execute(statement)


async def insert_grants(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    await tx.connection.execute(insert_rows(GrantRow, rows))


async def sum_held(tx: Tx, programme_id: UUID) -> int:
    """What all lots of a programme hold, in yen, whether their time is over or not."""
    held = func.coalesce(func.sum(LotRow.paid_yen + LotRow.premium_yen), 0)
    return int((await tx.connection.execute(select(held).where(LotRow.programme_id == programme_id))).scalar_one())
