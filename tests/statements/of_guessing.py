"""Statements on guessing at what is short: of any number of guesses at once, only the allowed are compared."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

GUESSING: Final = Chapter(
    "Guessing at PINs and printed codes",
    (
        Statement(
            "A printed card's PIN: of a hundred guesses at once five are compared",
            ("tests/wallets/test_cards.py::test_of_a_hundred_pins_at_once_five_are_compared",),
            without(
                "tries are counted and not compared with anything",
                (
                    "services/wallets/card_pin.py",
                    "        if not await rows.take_try(tx, place, subject_id, WINDOW, TRIES[place]):",
                    "        if not await rows.take_try(tx, place, subject_id, WINDOW, 9_999):",
                ),
            ),
        ),
        Statement(
            "A clerk's PIN at a register: so are as many as a quarter of an hour allows",
            ("tests/tills/test_registers.py::test_of_many_guesses_at_once_only_the_allowed_are_compared",),
            without(
                "tries are counted and not compared with anything",
                (
                    "services/tills/use_pin.py",
                    "        if not await pins.take_try(tx, pair, span, window, most):",
                    "        if not await pins.take_try(tx, pair, span, window, 9_999):",
                ),
            ),
        ),
        Statement(
            "The code of a letter: of a hundred guesses at once five are compared",
            ("tests/residency/test_prove.py::test_of_a_hundred_tries_at_once_five_are_compared",),
            without(
                "tries are counted and not compared with anything",
                (
                    "services/residency/prove.py",
                    "    turn = await register.take_try(tx, guess.account_id, WINDOW, TRIES)",
                    "    turn = await register.take_try(tx, guess.account_id, WINDOW, 9_999)",
                ),
            ),
        ),
        Statement(
            "The printed code that blocks a lost phone: of a hundred guesses at once five are compared",
            ("tests/wallet_api/test_lost_phone.py::test_of_a_hundred_guesses_at_once_five_are_compared",),
            without(
                "tries are counted and not compared with anything",
                (
                    "services/wallets/lost_phone.py",
                    "    kept = await block_codes.take_try(tx, code.locator, WINDOW, TRIES)",
                    "    kept = await block_codes.take_try(tx, code.locator, WINDOW, 9_999)",
                ),
            ),
        ),
    ),
)
