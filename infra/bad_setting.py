"""What stops a start: a setting whose value cannot be used, told without the secrets that it may hold."""

import re


class BadSetting(ValueError):
    """A setting has a value that cannot be used."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        shown = without_password(value)
        super().__init__(f"{name} is {shown!r}, but must be {expected}")
        self.name = name


def without_password(value: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", value)
