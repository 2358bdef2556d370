"""What must be, in plain Python: a second opinion on the money that shares nothing with the product.

No import from the product, no database, no clock: a list of lots for each person, what each
payment took from which lot, what each store was told. Every deed either names the refusals that
would be right (any of them may be given, because a deed may be wrong in several ways) or changes
these lists as the programme's terms say.
"""

from datetime import date, datetime

from tests.laws.records import (
    DAY,
    RESERVED_FOR,
    File,
    Leg,
    Lot,
    Payment,
    Programme,
    Purchase,
    Statement,
    Take,
    business_days_after,
    day_of,
    midnight_after,
    share,
    towards_zero,
)


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
        self.expired: dict[tuple[str, bool], tuple[int, int]] = {}
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

    def hear(self, purchase: Purchase, paid: bool, yen: int, now: datetime) -> None:
        """The channel's word: declined, or so many yen paid, which only the price in time makes points."""
        in_time = now < min(purchase.until, purchase.programme.ends_at)
        if purchase.status == "reserved" and not paid:
            purchase.status = "lapsed"
        elif purchase.status == "reserved" and in_time and yen == purchase.price:
            purchase.status, purchase.received = "paid", yen
            for purse, paid_points, premium, classes in purchase.programme.purses:
                amounts = (paid_points * purchase.units, premium * purchase.units)
                lot = self._issue(purchase.person, purchase.programme, purse, classes, amounts, True, now)
                purchase.lots.append(lot)
        elif purchase.status in {"reserved", "lapsed"} and paid:
            purchase.status, purchase.received = "late", yen

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
        self._issue(person, programme, purse, classes, (0, points), False, now)

    def _issue(
        self,
        person: int,
        programme: Programme,
        purse: str,
        classes: frozenset[str],
        parts: tuple[int, int],
        bought: bool,
        now: datetime,
    ) -> Lot:
        lot = Lot(person, programme, purse, classes, *parts, bought, now, programme.ends_at, *parts)
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
        key = (lot.programme.code, lot.bought)
        paid, premium = self.expired.get(key, (0, 0))
        self.expired[key] = (paid + lot.paid, premium + lot.premium)
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
        late = any(now >= back.lot.programme.refunds_end_at for _, back in self._backwards(payment, yen))
        return wrong | {"refund_too_late"} if late else wrong

    def _backwards(self, payment: Payment, yen: int) -> list[tuple[Take, Take]]:
        """What was taken, last lot first, each with the part of `yen` that goes back to it."""
        found = []
        for take in reversed(payment.takes):
            amount = min(yen, take.paid + take.premium)
            if amount:
                found.append((take, Take(take.lot, *share(amount, take.paid, take.premium))))
                yen -= amount
        return found

    def give_back(self, payment: Payment, kind: str, yen: int, now: datetime) -> None:
        """To the very lots, the last one first; what they held beyond their time is lost before."""
        back = []
        for take, returned in self._backwards(payment, yen):
            take.paid -= returned.paid
            take.premium -= returned.premium
            back.append(returned)
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
        file = File(self.due_by(day), day)
        self.files.append(file)
        for each in file.statements:
            each.file = len(self.files) - 1
        return file

    def may_step(self, file: File, step: str, officer: str, now: datetime) -> set[str]:
        """What stands against a bank file's next step; the officer is "first", who proposed it, or "second"."""
        needed = {"approve": "proposed", "void": "proposed", "withdraw": "approved", "sent": "approved", "paid": "sent"}
        wrong = set() if file.status == needed[step] else {"bank_file_step_wrong"}
        if (step == "approve" and officer == "first") or (step == "withdraw" and file.withdrawal_asked_by == officer):
            wrong.add("second_officer_needed")
        if step in {"approve", "sent"} and file.pays_on < day_of(now):
            wrong.add("bank_file_day_past")
        return wrong

    def step(self, file: File, step: str, officer: str) -> None:
        if step == "withdraw" and not file.withdrawal_asked_by:
            file.withdrawal_asked_by = officer
        elif step in {"void", "withdraw"}:
            file.status = "void"
            for each in file.statements:
                each.file = None
        else:
            file.status = {"approve": "approved", "sent": "sent", "paid": "paid"}[step]

    # What the books must hold

    def books(self, code: str) -> dict[str, int]:
        """A programme's accounts that belong to nobody, debit above zero; those at zero are left out."""
        mine = [each for each in self.purchases if each.programme.code == code]
        sold = [each for each in mine if each.status == "paid"]
        late = sum(each.received for each in mine if each.status == "late")
        told = [each for each in self.statements if each.programme.code == code]
        bought_paid, bought_premium = self.expired.get((code, True), (0, 0))
        _, granted_premium = self.expired.get((code, False), (0, 0))
        premium = sum(lot.premium_issued for each in sold for lot in each.lots)
        clearing = sum(each.payout for each in told if self._status(each) == "sent")
        figures = {
            "cash_receivable": sum(each.price for each in sold) + late,
            "suspense": -late,
            "funder_receivable": premium - bought_premium,
            "grant_receivable": self.granted[code] - granted_premium,
            "breakage": -bought_paid,
            "fee_income": -sum(each.figures[3] for each in told),
            "fee_tax": -sum(each.figures[4] for each in told),
            "bank_clearing": -clearing,
            "bank": -sum(each.payout for each in told if self._status(each) == "paid"),
        }
        return {name: yen for name, yen in figures.items() if yen}

    def _status(self, statement: Statement) -> str:
        return "" if statement.file is None else self.files[statement.file].status

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
