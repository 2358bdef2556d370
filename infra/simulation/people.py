"""Everybody who acts: each signs in as themselves, refreshes when their token is over, and signs in
again when their session is.

A clerk takes payments, an officer runs the programme, a resident buys, pays and looks. A resident
who only shows pay codes needs neither a token nor a network.
"""

import asyncio
import re
from base64 import b32decode
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from city_api.app import PREFIX as CITY
from infra.phone import SandboxPhone
from infra.simulation.door import Answer, WentWrong
from infra.simulation.pocket import Pocket
from infra.simulation.stage import Stage
from infra.simulation.trips import Habits, Visit, draw_habits
from merchant_api.app import PREFIX as MERCHANT
from services.identity.totp import code_at, step_of
from wallet_api.app import PREFIX as WALLET

_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
JTI_BYTES = 16


class Person:
    """Somebody with an account at one of the APIs."""

    def __init__(self, stage: Stage, prefix: str) -> None:
        self.stage = stage
        self._prefix = prefix
        self._token = ""
        self._token_until = stage.now
        self._refresh_token = ""
        self._signing_in = asyncio.Lock()

    async def _sign_in(self) -> dict[str, Any]:
        raise NotImplementedError

    async def token(self) -> str:
        """A token that is valid now."""
        async with self._signing_in:  # at a till that two customers come to at once, only once
            if self.stage.now >= self._token_until:
                refreshed = await self._refresh() if self._refresh_token else None
                given = refreshed or await self._sign_in()
                self._token, self._refresh_token = given["access_token"], given["refresh_token"]
                self._token_until = self.stage.now + timedelta(seconds=given["expires_in"])
                self.stage.happened("refreshed" if refreshed else "signed in")
        return self._token

    async def _refresh(self) -> dict[str, Any] | None:
        """New tokens for the one that is kept; None once the session is over, or so long over that it is forgotten."""
        body, key = {"refresh_token": self._refresh_token}, self.stage.new_key()
        answer = await self.stage.door.ask("POST", f"{self._prefix}/sign-in/refresh", key=key, body=body)
        if answer.refused() is None:
            return answer.done()
        answer.must_be_refused("session_ended", "refresh_refused")
        return None

    async def look(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Read something."""
        return await self.stage.door.ask("GET", self._prefix + path, token=await self.token(), query=query)

    async def ask(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        key: UUID | None = None,
        csv: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Give a command, under a new id unless one is given."""
        token = await self.token()
        key = key or self.stage.new_key()
        return await self.stage.door.ask(
            "POST", self._prefix + path, token=token, key=key, body=body, csv=csv, query=query
        )


class Staff(Person):
    """Somebody who signs in by e-mail and password."""

    def __init__(self, stage: Stage, prefix: str, email: str, name: str) -> None:
        super().__init__(stage, prefix)
        self.email = email
        self.name = name
        self.password = stage.secret(12).hex()
        self._secret = b""

    async def _sign_in(self) -> dict[str, Any]:
        credentials = {"email": self.email, "password": self.password}
        given = (await self.stage.door.ask("POST", f"{self._prefix}/sign-in", body=credentials)).done()
        return await self._show_factor(given["attempt_id"]) if "attempt_id" in given else given

    async def _show_factor(self, attempt_id: str) -> dict[str, Any]:
        """Read the code of now from one's authenticator app; the first time, the app is set up."""
        path, attempt = f"{self._prefix}/sign-in/second-factor", {"attempt_id": attempt_id}
        if not self._secret:
            enrolment = (await self.stage.door.ask("POST", f"{path}/enrolment", body=attempt)).done()
            self._secret = b32decode(enrolment["secret"])
        code = code_at(self._secret, step_of(self.stage.now))
        return (await self.stage.door.ask("POST", path, body=attempt | {"code": code})).done()

    def new_account(self) -> dict[str, object]:
        """What opens the account."""
        return {"email": self.email, "name": self.name, "password": self.password}


class Officer(Staff):
    """Somebody of the city."""

    def __init__(self, stage: Stage, email: str, name: str) -> None:
        super().__init__(stage, CITY, email, name)


class Clerk(Staff):
    """Somebody of a store."""

    def __init__(self, stage: Stage, email: str, name: str) -> None:
        super().__init__(stage, MERCHANT, email, name)


class Resident(Person):
    """Somebody with a phone. `visits` are what they still mean to do, the next one last.

    Of the visits that are on the agenda only the one with the last `turn` counts. The number of
    the wallet is empty until they have joined.
    """

    wallet_id: UUID
    device_id: UUID
    wallet_number = ""
    turn = 0

    def __init__(self, stage: Stage, index: int) -> None:
        super().__init__(stage, WALLET)
        self.index = index
        self.rng: Random = stage.rng("resident", index)
        self.habits: Habits = draw_habits(self.rng)
        self.pocket = Pocket(stage.terms)
        self.visits: list[Visit] = []
        self.phone_number = f"090-{1000 + index // 10_000:04}-{index % 10_000:04}"
        self.phone = SandboxPhone(stage.secret(32))

    async def _sign_in(self) -> dict[str, Any]:
        attempt_id = await self.ask_for_code()
        signed_in = (await self.guess(attempt_id, self.read_code(), self._refresh_token)).done()
        if len(signed_in["wallets"]) != 1:
            raise WentWrong("a resident of this city has one wallet")
        self.wallet_id = UUID(signed_in["wallets"][0]["id"])
        self.wallet_number = signed_in["wallets"][0]["number"]
        return signed_in

    async def ask_for_code(self) -> str:
        """Have a one-time code sent to one's phone; the attempt's id."""
        asked = await self.stage.door.ask("POST", f"{WALLET}/sign-in/codes", body={"phone": self.phone_number})
        attempt_id: str = asked.done()["attempt_id"]
        return attempt_id

    def read_code(self) -> str:
        """The code in the newest message on one's phone."""
        message = self.stage.town.outbox.latest("+81" + self.phone_number.replace("-", "")[1:])
        found = _CODE.search(message.text) if message else None
        if found is None:
            raise WentWrong("no one-time code has reached the phone")
        return found[0]

    async def guess(self, attempt_id: str, code: str, earlier: str = "") -> Answer:
        """`earlier` is the token of the phone's last session: it is no new phone."""
        body = {"attempt_id": attempt_id, "code": code} | ({"earlier_refresh_token": earlier} if earlier else {})
        return await self.stage.door.ask("POST", f"{WALLET}/sign-in", body=body)

    async def join(self) -> None:
        """Sign in for the first time and register the phone."""
        await self.token()
        await self.register_phone("スマートフォン")
        self.stage.happened("resident")

    async def register_phone(self, name: str) -> None:
        """Register the key of the phone in one's hand."""
        body = {"name": name, "public_jwk": self.phone.public_jwk()}
        device = (await self.ask(f"/wallets/{self.wallet_id}/devices", body)).done()
        self.device_id = UUID(device["id"])

    def show_code(self) -> str:
        """A pay code on the screen of the phone; no network takes part."""
        jti = UUID(bytes=self.stage.secret(JTI_BYTES), version=4)
        return self.phone.pay_code(self.wallet_id, self.device_id, self.stage.now, jti)

    async def purchase(self, purchase_id: str) -> dict[str, Any]:
        """Where a purchase stands, in the app."""
        return (await self.look(f"/wallets/{self.wallet_id}/purchases/{purchase_id}")).done()

    async def must_hold(self, points: int) -> None:
        """Compare the app's balance. Raises WentWrong."""
        shown = (await self.look(f"/wallets/{self.wallet_id}")).done()["total_points"]
        if shown != points:
            raise WentWrong(f"wallet {self.wallet_number} holds {shown} points, not {points}")
