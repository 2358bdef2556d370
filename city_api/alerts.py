"""Alerts: what the rules found in the payments, for an officer to look at; people in it are pseudonyms.

Law: an alert accuses nobody and stops nothing. From a pseudonym to a wallet leads one request, of an officer, for one
person whom the alert names, with a reason that stays in the audit log.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field, StringConstraints

from city_api.wallets import WalletAnswer
from infra.http.apps import router
from infra.http.auth import Officer, Watcher
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer, Body, Reason, ShortText
from services.alerts.alert import Alert, Review, Show, Verdict
from services.alerts.name_person import NamePerson, name_person
from services.alerts.read import AskAlerts
from services.alerts.read import alerts as read_alerts
from services.alerts.review import ReviewAlert, review_alert
from services.identity.bulk_reading import TooManyLooks
from services.kit.errors import Missing

routes = router("alerts")

Pseudonym = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{1,19}$")]


class AlertReviewAnswer(Answer):
    """What an officer found."""

    id: UUID
    verdict: Verdict
    note: str
    reviewer_id: UUID
    reviewed_at: datetime


class AlertAnswer(Answer):
    """What a rule found. Its words stand under `alert.<rule>` and are filled with `parameters`."""

    id: UUID
    rule: str
    subject: str = Field(description="`store:` and a store's code, or `resident:` and a pseudonym.")
    round: int = Field(description="1, or how often it was told anew because it grew after a review.")
    score_permille: int = Field(description="0 to 1,000; for putting in order, no probability.")
    parameters: Mapping[str, int | float | str]
    residents: Sequence[str] = Field(description="Pseudonyms; text, as they exceed what JavaScript counts exactly.")
    payments: int = Field(description="On how many payments it rests.")
    first_day: date
    last_day: date
    found_at: datetime
    seen_at: datetime = Field(description="When a run found it last.")
    review: AlertReviewAnswer | None = Field(description="The latest review; null while nobody has looked.")


class RuleAnswer(Answer):
    """How often a rule was right: of what was judged, how much was misuse. Unclear ones count in neither."""

    rule: str
    open: int
    misuse: int
    harmless: int
    unclear: int
    precision_permille: int | None = Field(description="misuse / (misuse + harmless); null before the first.")


class AlertsAnswer(Answer):
    alerts: Sequence[AlertAnswer]
    rules: Sequence[RuleAnswer]
    next: UUID | None


class AlertReviewRequest(Body):
    verdict: Verdict
    note: Reason = Field(description="What was looked at and found.")


@routes.get("/insight/alerts")
async def list_alerts(
    _token: Watcher,
    here: Here,
    show: Annotated[Show, Query(description="Those that nobody has judged, those that somebody has, or all.")] = (
        Show.OPEN
    ),
    rule: ShortText | None = None,
    after: UUID | None = None,
    limit: PageSize = 100,
) -> AlertsAnswer:
    """Alerts, newest first, and how often each rule was right so far."""
    found = await here.database.transact(read_alerts, AskAlerts(show, rule, after, limit + 1))
    shown, following = paged(found.alerts, limit, lambda each: each.id)
    return AlertsAnswer(
        alerts=[_answer(each) for each in shown],
        rules=[RuleAnswer.of(each) for each in found.tallies],
        next=following,
    )


@routes.post("/insight/alerts/{alert_id}/review", responses=refuses(Missing))
async def judge_alert(alert_id: UUID, body: AlertReviewRequest, token: Officer, command: Command) -> AlertReviewAnswer:
    """Say what came of looking at an alert. A later review stands beside the earlier one, and counts."""
    asked = ReviewAlert(alert_id, body.verdict, body.note, token.account_id)
    return AlertReviewAnswer.of(
        await command.perform(token.account_id, "city.alert.review", review_alert, asked, Review)
    )


@routes.get("/insight/alerts/{alert_id}/people/{resident}", responses=refuses(Missing, TooManyLooks))
async def name_alert_person(
    alert_id: UUID,
    resident: Annotated[Pseudonym, Path(description="One of the alert's residents.")],
    reason: Annotated[Reason, Query(description="Why one must know who this is.")],
    token: Officer,
    here: Here,
) -> WalletAnswer:
    """The wallet behind a pseudonym that this alert names. Who asked, about whom and why is kept in the audit log."""
    asked = NamePerson(alert_id, int(resident), token.account_id, reason, here.look_limits)
    return WalletAnswer.of(await here.database.transact(name_person, asked))


def _answer(alert: Alert) -> AlertAnswer:
    return AlertAnswer.model_validate(vars(alert) | {"residents": [str(each) for each in alert.residents]})
