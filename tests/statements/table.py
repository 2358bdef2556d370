"""All chapters, in the order of the page."""

from pathlib import Path
from typing import Final

from tests.statements.of_access import ACCESS
from tests.statements.of_api import API
from tests.statements.of_business import BUSINESS
from tests.statements.of_data import DATA
from tests.statements.of_incidents import INCIDENTS
from tests.statements.of_sign_in import SIGN_IN
from tests.statements.of_tokens import TOKENS

CHAPTERS: Final = (TOKENS, SIGN_IN, ACCESS, BUSINESS, API, DATA, INCIDENTS)
STATEMENTS: Final = tuple(statement for chapter in CHAPTERS for statement in chapter.statements)
PAGE: Final = Path(__file__).parents[2] / "docs" / "statements.md"
