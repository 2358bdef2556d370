"""What staff of stores and of the city send alike: sign-ins, new accounts."""

from typing import Annotated

from pydantic import Field, StringConstraints

from infra.http.strict import Body, Name, Secret

Email = Annotated[str, StringConstraints(strict=True, min_length=3, max_length=254)]


class StaffSignInRequest(Body):
    """An address and its password."""

    email: Email = Field(examples=["owner@example.jp"])
    password: Secret = Field(repr=False)


class NewAccount(Body):
    """A person's account; its password has at least 12 characters and is none that everybody tries."""

    email: Email
    name: Name
    password: Secret = Field(repr=False)
