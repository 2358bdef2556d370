"""The server of one city: engines, the clock corrected by the database's, the jobs, every API.

Law: what takes payments has connections of its own. The city's API and the jobs, whose
statements may run long, wait for each other and never for a till. A database that is down when
we start is waited for, as one that goes down later is.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from analytics.desk.desk import InsightDesk
from infra import worker
from infra.database.connect import JOBS, ClockSkew, is_away
from infra.database.provision import DatabaseHandle
from infra.http.care_notices import keep_telling_of_lapsed
from infra.http.door import Door
from infra.http.rates import Meter, Rates
from infra.http.waiting import Waiting
from infra.keys import load_anchor_key, load_keys, read_private
from infra.ports.anchor_file import AnchorFile
from infra.ports.digital_id import DigitalId, ServiceSettings
from infra.settings import Settings
from infra.timekeeping import keep_time, offset_of
from infra.town import Town, build_town
from services.kit.banks import load_banks
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.payments.store_velocity import StoreLimits

SERVING_CONNECTIONS = 8
JOB_CONNECTIONS = 4
RETRY_SECONDS = 1.0
"""Between two tries to reach a database that was down when we started."""

log = logging.getLogger(__name__)


async def create_app(
    handle: DatabaseHandle, settings: Settings, *, jobs: bool = True, plain: bool = False
) -> Door | Starlette | Waiting:
    """Everything of one city, to be served until its lifespan ends; without `jobs` another process does them.

    `plain` leaves out the fast door: payments are answered one by one through FastAPI. A database that
    cannot be reached does not stop the start: everybody is told to come back until it answers. Raises ClockSkew
    when this machine's clock is more than two seconds off the database's, and KeyUnsafe when a key of the
    installation could have been read by others.
    """
    _prepare(settings)
    keys = load_keys(settings.data_dir, settings.token_key, settings.token_keys_believed)
    serving = handle.app_engine(pool_size=SERVING_CONNECTIONS)
    slow = handle.app_engine(pool_size=JOB_CONNECTIONS, limits=JOBS)
    clock, reached = OffsetClock(), asyncio.Event()
    try:
        clock.offset = await offset_of(slow)
        reached.set()
    except BaseException as error:
        if not is_away(error):
            await slow.dispose()
            raise
        log.warning("the database cannot be reached (%s): answering 503 until it can", type(error).__name__)
    entropy = SecretEntropy()
    # Where another process does the jobs, the key need not even be readable here.
    anchors = AnchorFile(settings.anchors_file, load_anchor_key(settings.anchor_key_file)) if jobs else None
    service = _sign_in_service(settings)
    insight = InsightDesk(settings.lake_dir, handle.insight_uri())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        background = asyncio.create_task(_background(town, slow, clock, reached, anchors, settings.stores))
        try:
            yield
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)
            await _close(town, service, serving, slow)
            await insight.close()

    town = build_town(
        Database(serving, clock, entropy),
        keys,
        jobs=Database(slow, clock, entropy),
        public_url=settings.public_url,
        state=settings.data_dir / "sandbox-checkout.sqlite3",
        docs=settings.is_local,
        local_pages=settings.is_local,
        plain_payments=plain,
        sign_in_service=service,
        new_phone_limit_yen=settings.new_phone_limit_yen,
        paying=settings.paying,
        rates=Rates(Meter(settings.requests_per_account), Meter(settings.requests_per_address)),
        look_limits=settings.look_limits,
        most_cared_for=settings.most_cared_for,
        card_limits=settings.card_limits,
        lifespan=lifespan,
        insight=insight,
    )
    return _once_reached(town.plain if plain else town.app, reached, settings)


def _once_reached(app: Door | Starlette, reached: asyncio.Event, settings: Settings) -> Door | Starlette | Waiting:
    """The app, behind what answers 503 until the database was reached."""
    return app if reached.is_set() else Waiting(app, reached, secure=settings.public_url.startswith("https:"))


def _prepare(settings: Settings) -> None:
    load_banks()  # else the first who asks would keep everybody waiting
    if not settings.is_local:
        log.warning("PUBLIC_URL is not this machine: no outbox and no sandbox pages, and no SMS gateway is built yet")


async def _close(town: Town, service: DigitalId | None, *engines: AsyncEngine) -> None:
    town.checkout.close()
    if service is not None:
        await service.close()
    for engine in engines:
        await engine.dispose()


def _sign_in_service(settings: Settings) -> DigitalId | None:
    """The government's sign-in service, where the installation is connected to it. Raises KeyUnsafe."""
    given = settings.sign_in_service
    if given is None:
        return None
    key_pem = read_private(given.key_file).decode("ascii")
    back = f"{settings.public_url}/residency"
    return DigitalId(ServiceSettings(given.issuer, given.client_id, key_pem, back, given.city))


async def _background(
    town: Town,
    engine: AsyncEngine,
    clock: OffsetClock,
    reached: asyncio.Event,
    anchors: AnchorFile | None,
    stores: StoreLimits,
) -> None:
    """Time is kept; with a place for anchors the jobs run here too."""
    await _reach(engine, clock, reached)
    async with asyncio.TaskGroup() as group:
        if anchors is not None:
            group.create_task(worker.run_forever(worker.jobs(town.jobs, town.checkout, anchors, stores=stores)))
        group.create_task(keep_time(engine, clock))
        group.create_task(town.context.payments.declines.keep_writing())
        group.create_task(keep_telling_of_lapsed(town.context))


async def _reach(engine: AsyncEngine, clock: OffsetClock, reached: asyncio.Event) -> None:
    """Wait for the database, and begin with its time. A clock that is off keeps us closed, as it stops a start."""
    while not reached.is_set():
        await asyncio.sleep(RETRY_SECONDS)
        try:
            clock.offset = await offset_of(engine)
        except ClockSkew as skew:
            log.error("%s", skew)  # noqa: TRY400 - the sentence is all there is to tell
        except Exception as error:
            if not is_away(error):  # it lets us in no more, or never did: told each time, for somebody to put right
                log.exception("the database cannot be used")
        else:
            reached.set()
            log.warning("the database is there: serving")
