"""The same payment as a first draft would have it, for scale: SQLAlchemy's ORM behind FastAPI's defaults.

Honest in what it promises (the wallet's row is locked, an id pays once, everything in one transaction),
and written as tutorials write it. Its tables also serve pgbench's minimal payment, so the two differ only
in who speaks to the database. Nothing of the platform is in here, no tokens, no lots, no limits.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

import typer
import uvloop
from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel
from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Integer, Text, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from infra.benchmarks.serve import serve

_CONNECTIONS = 32


class Small(DeclarativeBase):
    """Three tables, in a database of their own."""


class WalletRow(Small):
    __tablename__ = "wallet"
    __table_args__ = (CheckConstraint("balance_yen >= 0"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    balance_yen: Mapped[int] = mapped_column(BigInteger)


class PaymentRow(Small):
    __tablename__ = "payment"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(unique=True)
    wallet_id: Mapped[int] = mapped_column(Integer)
    store_id: Mapped[int] = mapped_column(Integer)
    amount_yen: Mapped[int] = mapped_column(BigInteger)
    paid_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PostingRow(Small):
    __tablename__ = "posting"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    payment_id: Mapped[UUID] = mapped_column()
    account: Mapped[str] = mapped_column(Text)
    yen: Mapped[int] = mapped_column(BigInteger)


class PaymentIn(BaseModel):
    wallet_id: int
    store_id: int
    amount_yen: int


class PaymentOut(BaseModel):
    payment_id: UUID
    wallet_id: int
    amount_yen: int


def create_naive_app(engine: AsyncEngine) -> FastAPI:
    """The whole application."""
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/payments", status_code=201)
    async def pay(asked: PaymentIn, response: Response, idempotency_key: Annotated[UUID, Header()]) -> PaymentOut:
        async with sessions() as session, session.begin():
            wallet = await session.get(WalletRow, asked.wallet_id, with_for_update=True)
            if wallet is None:
                raise HTTPException(404)
            known = (await session.scalars(select(PaymentRow).where(PaymentRow.key == idempotency_key))).one_or_none()
            if known is not None:
                response.headers["idempotent-replay"] = "true"
                return PaymentOut(payment_id=known.id, wallet_id=known.wallet_id, amount_yen=known.amount_yen)
            return _pay(session, wallet, asked, idempotency_key)

    return app


def _pay(session: AsyncSession, wallet: WalletRow, asked: PaymentIn, key: UUID) -> PaymentOut:
    wallet.balance_yen -= asked.amount_yen
    payment = PaymentRow(id=uuid4(), key=key, paid_at=datetime.now(UTC), **asked.model_dump())
    session.add(payment)
    for account, yen in (("wallet", -asked.amount_yen), ("store", asked.amount_yen), ("memo", 0)):
        session.add(PostingRow(payment_id=payment.id, account=account, yen=yen))
    return PaymentOut(payment_id=payment.id, wallet_id=wallet.id, amount_yen=asked.amount_yen)


async def _serve(url: str) -> None:
    await serve(create_naive_app(create_async_engine(url, pool_size=_CONNECTIONS, max_overflow=0)))


def main(url: Annotated[str, typer.Option(help="The small schema's database.")]) -> None:
    """Serve the naive application for a benchmark."""
    uvloop.run(_serve(url))


if __name__ == "__main__":
    typer.run(main)
