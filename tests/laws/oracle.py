"""What must be, in plain Python: a second opinion on the money that shares nothing with the product.

No import from the product, no database, no clock: a list of lots for each person, what each
payment took from which lot, what each store was told. Every deed either names the refusals that
would be right (any of them may be given, because a deed may be wrong in several ways) or changes
these lists as the programme's terms say.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

JST = timedelta(hours=9)
DAY = timedelta(days=1)
HOLIDAYS = {date(2026, 4, 29), date(2026, 5, 3), date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 6)}
"""Of April and May 2026: the days that the laws' world lives in."""

RESERVED_FOR = timedelta(minutes=30)


def day_of(instant: datetime) -> date:
    return (instant + JST).date()


def midnight_after(day: date) -> datetime:
    return datetime.combine(day + DAY, time(0), UTC) - JST


def works(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


def business_days_after(day: date, count: int) -> date:
    while count:
        day += DAY
        count -= works(day)
    return day


@dataclass(frozen=True, eq=False)
class Programme:
    """Terms: yen and points, first and last days; `closes_on` a weekday, or None for every day."""

    code: str
    unit_yen: int
    purses: tuple[tuple[str, int, int, frozenset[str]], ...]
    cap_yen: int
    stock: int
    grant_budget: int
    first: date
    last_sale: date
    last_use: date
    payment_limit: int
    day_limit: int
    refund_days: int
    revive_days: int
    closes_on: int | None
    lag: int
    fee_bp: dict[str, int]
    tax_bp: int
    minimum_payout: int

    @property
    def ends_at(self) -> datetime:
        return midnight_after(self.last_use)

    @property
    def refunds_end_at(self) -> datetime:
        return midnight_after(self.last_use + self.refund_days * DAY)

    def next_closing(self, after: date) -> date:
        day = after + DAY
        while self.closes_on is not None and day.weekday() != self.closes_on:
            day += DAY
        return day


@dataclass(eq=False)
class Lot:
    person: int
    programme: Programme
    purse: str
    classes: frozenset[str]
    paid_issued: int
    premium_issued: int
    issued_at: datetime
    expires_at: datetime
    paid: int = 0
    premium: int = 0

    @property
    def left(self) -> int:
        return self.paid + self.premium

    @property
    def whole(self) -> bool:
        return (self.paid, self.premium) == (self.paid_issued, self.premium_issued)


@dataclass(eq=False)
class Purchase:
    person: int
    programme: Programme
    units: int
    until: datetime
    status: str = "reserved"
    lots: list[Lot] = field(default_factory=list)

    @property
    def price(self) -> int:
        return self.units * self.programme.unit_yen


@dataclass(eq=False)
class Take:
    """What a payment took from a lot and has not given back."""

    lot: Lot
    paid: int
    premium: int


@dataclass(eq=False)
class Payment:
    person: int
    store: int
    amount: int
    at: datetime
    takes: list[Take]

    @property
    def left(self) -> int:
        return sum(take.paid + take.premium for take in self.takes)


@dataclass(eq=False)
class Leg:
    programme: Programme
    store: int
    kind: str
    amount: int
    at: datetime
    told: bool = False


@dataclass(eq=False)
class Statement:
    """What a store was told: its figures in the order of the product's columns."""

    programme: Programme
    store: int
    figures: tuple[int, ...]
    payout: int
    carried: int
    owed_to_us: int
    transfer_on: date
    file: int | None = None


@dataclass(eq=False)
class File:
    statements: list[Statement]
    status: str = "proposed"

    @property
    def total(self) -> int:
        return sum(each.payout for each in self.statements)


def share(amount: int, first: int, second: int) -> tuple[int, int]:
    """`amount` over two parts in proportion, the odd point from the second."""
    part = amount * first // (first + second)
    return part, amount - part


def towards_zero(amount: int, rate_bp: int) -> int:
    return (abs(amount) * rate_bp // 10_000) * (1 if amount >= 0 else -1)


class Oracle:
    """The whole world; persons and stores are numbers, a store's class and merchant are given."""

    def __init__(self, programmes: list[Programme], stores: list[tuple[str, int]]) -> None:
        self.programmes = {each.code: each for each in programmes}
        self.stores = stores
        self.lots: list[Lot] = []
        self.purchases: list[Purchase] = []
        self.payments: list[Payment] = []
        self.legs: list[Leg] = []
        self.statements: list[Statement] = []
        self.files: list[File] = []
        self.closed: dict[str, date] = {}
        self.granted = dict.fromkeys(self.programmes, 0)
        self.expired = dict.fromkeys(self.programmes, 0)
        self.spent: dict[tuple[int, str, date], int] = {}
        self.stopped_persons: set[int] = set()
        self.stopped_stores: set[int] = set()

    # Wallets

    def bought(self, person: int, programme: Programme) -> int:
        return sum(
            each.price
            for each in self.purchases
            if (each.person, each.programme) == (person, programme) and each.status in {"reserved", "paid"}
        )

    def units(self, programme: Programme, *statuses: str) -> int:
        return sum(each.units for each in self.purchases if each.programme is programme and each.status in statuses)

    def points(self, person: int, now: datetime) -> int:
        return sum(lot.left for lot in self.lots if lot.person == person and now < lot.expires_at)

    def may_reserve(self, person: int, code: str, units: int, now: datetime) -> set[str]:
        programme = self.programmes[code]
        wrong = {"wallet_suspended"} if person in self.stopped_persons else set()
        if not now < midnight_after(programme.last_sale):
            wrong.add("programme_not_on_sale")
        if self.bought(person, programme) + units * programme.unit_yen > programme.cap_yen:
            wrong.add("cap_exceeded")
        if self.units(programme, "reserved", "paid") + units > programme.stock:
            wrong.add("stock_exhausted")
        return wrong

    def reserve(self, person: int, code: str, units: int, now: datetime) -> Purchase:
        purchase = Purchase(person, self.programmes[code], units, now + RESERVED_FOR)
        self.purchases.append(purchase)
        return purchase

    def hear(self, purchase: Purchase, paid: bool, now: datetime) -> None:
        """The channel's word: paid or declined."""
        if purchase.status == "reserved" and not paid:
            purchase.status = "lapsed"
        elif purchase.status == "reserved" and now >= purchase.programme.ends_at:
            purchase.status = "late"
        elif purchase.status == "reserved":
            purchase.status = "paid"
            for purse, paid_points, premium, classes in purchase.programme.purses:
                amounts = (paid_points * purchase.units, premium * purchase.units)
                purchase.lots.append(self._issue(purchase.person, purchase.programme, purse, classes, amounts, now))
        elif purchase.status == "lapsed" and paid:
            purchase.status = "late"

    def sweep(self, purchase: Purchase, now: datetime) -> None:
        if purchase.status == "reserved" and now >= purchase.until:
            purchase.status = "lapsed"

    def send_back(self, purchase: Purchase) -> None:
        if purchase.status == "late":
            purchase.status = "returned"

    def may_undo(self, purchase: Purchase, now: datetime) -> set[str]:
        fit = purchase.status == "paid" and all(lot.whole and now < lot.expires_at for lot in purchase.lots)
        return set() if fit else {"purchase_not_undoable"}

    def undo(self, purchase: Purchase) -> None:
        purchase.status = "undone"
        for lot in purchase.lots:
            lot.paid = lot.premium = 0

    def may_grant(self, code: str, points: int, now: datetime) -> set[str]:
        programme = self.programmes[code]
        wrong = {"programme_closed"} if now >= programme.ends_at else set()
        if self.granted[code] + points > programme.grant_budget:
            wrong.add("grant_budget_exhausted")
        return wrong

    def grant(self, person: int, code: str, purse: str, points: int, now: datetime) -> None:
        programme = self.programmes[code]
        classes = next(each[3] for each in programme.purses if each[0] == purse)
        self.granted[code] += points
        self._issue(person, programme, purse, classes, (0, points), now)

    def _issue(
        self,
        person: int,
        programme: Programme,
        purse: str,
        classes: frozenset[str],
        parts: tuple[int, int],
        now: datetime,
    ) -> Lot:
        lot = Lot(person, programme, purse, classes, *parts, now, programme.ends_at, *parts)
        self.lots.append(lot)
        return lot

    def expire(self, now: datetime) -> int:
        """Sweep everything whose time is over: the yen that were lost."""
        due = [lot for lot in self.lots if lot.left and now >= lot.expires_at]
        lost = sum(lot.left for lot in due)
        for lot in due:
            self._lose(lot)
        return lost

    def _lose(self, lot: Lot) -> None:
        self.expired[lot.programme.code] += lot.left
        lot.paid = lot.premium = 0

    # Payments

    def plan(self, person: int, store: int, yen: int, now: datetime) -> tuple[set[str], list[Take]]:
        """The right refusals, or what a payment takes from which lots, in order."""
        wrong = {"wallet_suspended"} if person in self.stopped_persons else set()
        if store in self.stopped_stores:
            wrong.add("store_suspended")
        mine = [lot for lot in self.lots if lot.person == person]
        usable = [lot for lot in mine if lot.left and now < lot.expires_at and self.stores[store][0] in lot.classes]
        usable.sort(key=lambda lot: (lot.expires_at, len(lot.classes), lot.issued_at))
        takes: list[Take] = []
        missing = yen
        for lot in usable:
            taken = sum(take.paid + take.premium for take in takes if take.lot.programme is lot.programme)
            room = min(lot.programme.payment_limit, self._left_today(person, lot.programme, now)) - taken
            amount = min(missing, lot.left, room)
            if amount > 0:
                takes.append(Take(lot, *share(amount, lot.paid, lot.premium)))
                missing -= amount
        if missing:
            wrong |= self._why_not(person, mine, usable, takes, yen, now)
        return wrong, takes

    def _left_today(self, person: int, programme: Programme, now: datetime) -> int:
        return programme.day_limit - self.spent.get((person, programme.code, day_of(now)), 0)

    def _why_not(
        self, person: int, mine: list[Lot], usable: list[Lot], takes: list[Take], yen: int, now: datetime
    ) -> set[str]:
        if sum(lot.left for lot in usable) < yen:
            over = bool(mine) and all(now >= lot.expires_at for lot in mine)
            return {"programme_closed"} if over else {"points_missing"}
        taken = {id(take.lot): take.paid + take.premium for take in takes}
        held_back = next(lot for lot in usable if taken.get(id(lot), 0) < lot.left)
        per_day = self._left_today(person, held_back.programme, now) < held_back.programme.payment_limit
        return {"day_limit_reached" if per_day else "payment_limit_reached"}

    def pay(self, person: int, store: int, yen: int, takes: list[Take], now: datetime) -> Payment:
        payment = Payment(person, store, yen, now, takes)
        self.payments.append(payment)
        for take in takes:
            take.lot.paid -= take.paid
            take.lot.premium -= take.premium
        for programme, amount in self._by_programme(takes).items():
            key = (person, programme.code, day_of(now))
            self.spent[key] = self.spent.get(key, 0) + amount
            self.legs.append(Leg(programme, store, "payment", amount, now))
        return payment

    def _by_programme(self, takes: list[Take]) -> dict[Programme, int]:
        sums: dict[str, int] = {}
        for take in takes:
            code = take.lot.programme.code
            sums[code] = sums.get(code, 0) + take.paid + take.premium
        return {self.programmes[code]: amount for code, amount in sums.items() if amount}

    def may_cancel(self, payment: Payment, now: datetime) -> set[str]:
        wrong = {"cancel_too_late"} if day_of(payment.at) != day_of(now) else set()
        return wrong if payment.left == payment.amount else wrong | {"nothing_to_cancel"}

    def may_refund(self, payment: Payment, yen: int, now: datetime) -> set[str]:
        wrong = {"refund_too_much"} if yen > payment.left else set()
        late = any(now >= take.lot.programme.refunds_end_at for take in payment.takes)
        return wrong | {"refund_too_late"} if late else wrong

    def give_back(self, payment: Payment, kind: str, yen: int, now: datetime) -> None:
        """To the very lots, the last one first; what they held beyond their time is lost before."""
        back: list[Take] = []
        for take in reversed(payment.takes):
            amount = min(yen, take.paid + take.premium)
            if amount:
                back.append(Take(take.lot, *share(amount, take.paid, take.premium)))
                take.paid -= back[-1].paid
                take.premium -= back[-1].premium
                yen -= amount
        for returned in back:
            lot = returned.lot
            over = now >= lot.expires_at
            if over:
                self._lose(lot)
            lot.paid += returned.paid
            lot.premium += returned.premium
            if over and lot.programme.revive_days:
                lot.expires_at = midnight_after(day_of(now) + lot.programme.revive_days * DAY)
            elif over:
                self._lose(lot)
        for programme, amount in self._by_programme(back).items():
            self.legs.append(Leg(programme, payment.store, kind, amount, now))
            if kind == "cancel":
                self.spent[payment.person, programme.code, day_of(payment.at)] -= amount

    # Settlement

    def next_closing(self, code: str) -> date:
        programme = self.programmes[code]
        return programme.next_closing(self.closed.get(code, programme.first - DAY))

    def may_close(self, code: str, now: datetime) -> set[str]:
        return {"closing_not_over"} if self.next_closing(code) >= day_of(now) else set()

    def close(self, code: str) -> list[Statement]:
        """The statements of the next closing day, by store."""
        programme, day = self.programmes[code], self.next_closing(code)
        self.closed[code] = day
        final = midnight_after(day) >= programme.refunds_end_at
        found = []
        for store, (store_class, _) in enumerate(self.stores):
            mine = [each for each in self.statements if (each.programme, each.store) == (programme, store)]
            carried, owed = (mine[-1].carried, mine[-1].owed_to_us) if mine else (0, 0)
            legs = [leg for leg in self.legs if (leg.programme, leg.store, leg.told) == (programme, store, False)]
            legs = [leg for leg in legs if leg.at < midnight_after(day)]
            if legs or (final and (carried or owed)):
                found.append(self._tell(programme, store, store_class, legs, carried, owed, final, day))
        self.statements += found
        return found

    def _tell(
        self,
        programme: Programme,
        store: int,
        store_class: str,
        legs: list[Leg],
        carried: int,
        owed: int,
        final: bool,
        day: date,
    ) -> Statement:
        sums = {kind: sum(leg.amount for leg in legs if leg.kind == kind) for kind in ("payment", "cancel", "refund")}
        for leg in legs:
            leg.told = True
        sales = sums["payment"] - sums["cancel"] - sums["refund"]
        fee = towards_zero(sales, programme.fee_bp[store_class])
        tax = towards_zero(fee, programme.tax_bp)
        net = sales - fee - tax
        due = net + carried - owed
        pays = due > 0 and (final or due >= programme.minimum_payout)
        outcome = (due if pays else 0, due if due > 0 and not pays else 0, -due if due < 0 else 0)
        figures = (*sums.values(), fee, tax, net, carried, owed, *outcome)
        return Statement(programme, store, figures, *outcome, business_days_after(day, programme.lag))

    def due_by(self, day: date) -> list[Statement]:
        return [each for each in self.statements if each.payout and each.file is None and each.transfer_on <= day]

    def propose(self, day: date) -> File:
        file = File(self.due_by(day))
        self.files.append(file)
        for each in file.statements:
            each.file = len(self.files) - 1
        return file

    def void(self, file: File) -> None:
        file.status = "void"
        for each in file.statements:
            each.file = None

    # What the books must hold

    def payable(self, code: str, store: int) -> int:
        """What is sold and not told yet."""
        signs = {"payment": 1, "cancel": -1, "refund": -1}
        return sum(
            signs[leg.kind] * leg.amount
            for leg in self.legs
            if (leg.programme.code, leg.store, leg.told) == (code, store, False)
        )

    def due(self, code: str, store: int) -> int:
        """What was told and no bank was told to pay yet, with what is carried."""
        mine = [each for each in self.statements if (each.programme.code, each.store) == (code, store)]
        gone = {number for number, file in enumerate(self.files) if file.status in {"sent", "paid"}}
        waiting = sum(each.payout for each in mine if each.file not in gone)
        return waiting + (mine[-1].carried if mine else 0)

    def receivable(self, code: str, store: int) -> int:
        mine = [each for each in self.statements if (each.programme.code, each.store) == (code, store)]
        return mine[-1].owed_to_us if mine else 0
