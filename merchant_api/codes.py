"""A store's own code, as pictures to show and print and as the text inside them."""

from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Response
from fastapi.responses import PlainTextResponse

from infra.http.apps import router
from infra.http.auth import StoreStaff
from infra.http.context import EMVCO_GUID, Context, Here
from infra.http.pictures import qr_png, qr_svg, sticker_svg
from merchant_api.stores import AtStore, own_store
from services.kit.numbers import display_number
from services.merchants.shops import Store
from services.payments.emvco import store_payload
from services.payments.qr import store_url

routes = router("codes")


class Svg(Response):
    """A picture in SVG."""

    media_type = "image/svg+xml"


class Png(Response):
    """A picture in PNG."""

    media_type = "image/png"


def origin(context: Context) -> str:
    """Scheme and host of the addresses in printed codes."""
    address = urlsplit(context.public_url)
    return f"{address.scheme}://{address.netloc}"


def emvco(store: Store, amount_yen: int | None = None, reference: str | None = None) -> str:
    """The EMVCo text of a store's code, or of a register's with an amount and its number."""
    return store_payload(
        store_code=store.code,
        name_ascii=store.details.name_latin,
        name_ja=store.details.name,
        city_ascii=store.details.city_latin,
        postal_code=store.details.postal_code,
        mcc=store.details.mcc,
        guid=EMVCO_GUID,
        amount_yen=amount_yen,
        reference=reference,
    )


@routes.get("/stores/{store_id}/qr.svg", response_class=Svg)
async def get_qr_svg(store_id: UUID, token: StoreStaff, here: Here) -> Response:
    """The store's code for screens: a short address with its number and check character."""
    store = await _store(here, store_id, token.account_id)
    return Svg(qr_svg(store_url(origin(here), store.code)))


@routes.get("/stores/{store_id}/qr.png", response_class=Png)
async def get_qr_png(store_id: UUID, token: StoreStaff, here: Here) -> Response:
    """The store's code as a bitmap."""
    store = await _store(here, store_id, token.account_id)
    return Png(qr_png(store_url(origin(here), store.code)))


@routes.get("/stores/{store_id}/sticker.svg", response_class=Svg)
async def get_sticker(store_id: UUID, token: StoreStaff, here: Here) -> Response:
    """A sticker to print: the code, the store's name, and the number to type."""
    store = await _store(here, store_id, token.account_id)
    picture = sticker_svg(
        store_url(origin(here), store.code), name=store.details.name, number=display_number(store.code)
    )
    return Svg(picture)


@routes.get("/stores/{store_id}/emvco", response_class=PlainTextResponse)
async def get_emvco(store_id: UUID, token: StoreStaff, here: Here) -> Response:
    """The text of the store's EMVCo merchant-presented code."""
    return PlainTextResponse(emvco(await _store(here, store_id, token.account_id)))


@routes.get("/stores/{store_id}/emvco.svg", response_class=Svg)
async def get_emvco_svg(store_id: UUID, token: StoreStaff, here: Here) -> Response:
    """The EMVCo code for screens."""
    return Svg(qr_svg(emvco(await _store(here, store_id, token.account_id))))


@routes.get("/stores/{store_id}/emvco.png", response_class=Png)
async def get_emvco_png(store_id: UUID, token: StoreStaff, here: Here) -> Response:
    """The EMVCo code as a bitmap."""
    return Png(qr_png(emvco(await _store(here, store_id, token.account_id))))


async def _store(here: Context, store_id: UUID, account_id: UUID) -> Store:
    return (await here.database.transact(own_store, AtStore(store_id, account_id))).store
