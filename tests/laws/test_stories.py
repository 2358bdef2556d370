"""Each story, walked as it is: the product and the oracle agree at every step."""

import pytest

from infra.database.provision import DatabaseHandle
from tests.laws.machine import Laws
from tests.laws.stories import STORIES, tell


@pytest.mark.parametrize("story", sorted(STORIES))
def test_the_product_and_the_oracle_tell_the_same_story(
    database_server: DatabaseHandle, template_database: str, story: str
) -> None:
    tell(type("Laws", (Laws,), {"server": database_server, "template": template_database}), STORIES[story])
