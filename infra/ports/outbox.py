"""The local twin of an SMS gateway and a mail server: messages land in a list that a page shows; nothing is sent.

Law: it is honest about being local. It keeps the last messages in memory only, because they
hold one-time codes.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from services.kit.clock import Clock

KEPT = 200


@dataclass(frozen=True)
class Message:
    """A message to a phone number in E.164 form, or to a mailbox."""

    sent_at: datetime
    phone: str
    text: str


class LocalOutbox:
    """Implements `services.identity.ports.SmsPort` and `MailPort`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._messages: deque[Message] = deque(maxlen=KEPT)

    async def send(self, phone: str, text: str) -> None:
        self._messages.append(Message(self._clock.now(), phone, text))

    def messages(self) -> list[Message]:
        """The messages that are still here, newest first."""
        return list(reversed(self._messages))

    def latest(self, phone: str) -> Message | None:
        """The newest message to a phone: what its owner reads on the screen."""
        return next((message for message in self.messages() if message.phone == phone), None)
