"""May this account add or end the work of a member: asked of the tables, not of its token."""

from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Forbidden, Missing
from services.merchants.shops import MemberRole, may_appoint
from services.merchants.tables import stores


async def require_may_appoint(tx: Tx, actor_id: UUID, store_id: UUID, role: MemberRole, *, as_officer: bool) -> None:
    """Raises `Missing` for an unknown store and to outsiders, `Forbidden` to members without the right."""
    if not await stores.find_stores(tx, [store_id]):
        raise Missing
    if as_officer:
        return
    acting = (await stores.active_roles(tx, store_id, [actor_id])).get(actor_id)
    if acting is None:
        raise Missing
    if not may_appoint(acting, role):
        raise Forbidden
