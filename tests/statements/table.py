"""All chapters, in the order of the page."""

from pathlib import Path
from typing import Final

from tests.statements.of_access import ACCESS
from tests.statements.of_api import API
from tests.statements.of_bad_input import BAD_INPUT
from tests.statements.of_business import BUSINESS
from tests.statements.of_data import DATA
from tests.statements.of_guessing import GUESSING
from tests.statements.of_incidents import INCIDENTS
from tests.statements.of_sign_in import SIGN_IN
from tests.statements.of_sign_in_service import SIGN_IN_SERVICE
from tests.statements.of_tokens import TOKENS

CHAPTERS: Final = (TOKENS, SIGN_IN, GUESSING, SIGN_IN_SERVICE, ACCESS, BUSINESS, BAD_INPUT, API, DATA, INCIDENTS)
STATEMENTS: Final = tuple(statement for chapter in CHAPTERS for statement in chapter.statements)
PAGE: Final = Path(__file__).parents[2] / "docs" / "statements.md"
