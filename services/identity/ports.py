"""What sign-in needs of the outside world."""

from typing import Protocol


class SmsPort(Protocol):
    """Sends a text message to a phone number in E.164 form; called after the commit, never inside it."""

    async def send(self, phone: str, text: str) -> None: ...


class MailPort(Protocol):
    """Sends a message to a mailbox; called after the commit, never inside it."""

    async def send(self, address: str, text: str) -> None: ...
