"""Sign-ins of staff with their second factor, for tests that are about what comes after."""

from base64 import b32decode

from sqlalchemy import text

from services.identity.prove_factor import Enrol, FactorGuess, SignedInTwice, enrol, prove_factor
from services.identity.sign_in_staff import SignedInStaff, StaffSignIn, sign_in_staff
from services.identity.totp import code_at, open_secret, step_of
from services.kit.db import Database, Tx


async def enter(database: Database, attempt: StaffSignIn) -> SignedInStaff | SignedInTwice:
    """A session for this password; an authenticator is enrolled where one is asked for and there is none."""
    asked = await sign_in_staff(database, attempt)
    if isinstance(asked, SignedInStaff):
        return asked
    if asked.ways:
        secret = await _secret(database, attempt.key, asked.account.email or "")
    else:
        made = await database.transact(enrol, Enrol(attempt.kind, asked.attempt_id, attempt.key))
        secret = b32decode(made.secret)
    code = code_at(secret, step_of(database.clock.now()))
    opening = attempt.opening
    return await prove_factor(database, FactorGuess(attempt.kind, asked.attempt_id, code, attempt.key, opening=opening))


async def _secret(database: Database, key: bytes, email: str) -> bytes:
    """The secret in the app, whose steps count as unused: time stands still in tests."""

    async def renew(tx: Tx, _: None) -> bytes:
        renewed = text(
            "UPDATE second_factor SET last_step = 0 WHERE account_id = (SELECT id FROM account WHERE email = :e) "
            "RETURNING account_id, sealed_secret"
        )
        row = (await tx.connection.execute(renewed, {"e": email})).one()
        return open_secret(key, row[0], row[1])

    return await database.transact(renew, None)
