"""Statements on access: who reaches what, over HTTP and in the database."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_AUTH, _MAY = "infra/http/auth.py", "services/identity/may.py"
_MATRIX = "tests/access/test_matrix.py::test_every_caller_is_answered_as_the_page_says"
_THINGS = "tests/access/test_things.py::"
_FOUNDATION = "infra/database/migrations/versions/0001_foundation.py"

ACCESS: Final = Chapter(
    "Access",
    (
        Statement(
            "Every route answers every role as docs/access.md says",
            (f"{_MATRIX}[city GET /programmes]", f"{_MATRIX}[city POST /grants]"),
            without(
                "neither the token's roles nor those of the tables are compared",
                (_AUTH, "if self.roles.isdisjoint(token.roles) and not bare:", "if False:"),
                (
                    _MAY,
                    "    if account.status is not AccountStatus.ACTIVE or not set(roles) & set(account.roles):",
                    "    if account.status is not AccountStatus.ACTIVE:",
                ),
            ),
        ),
        Statement(
            "A route without a rule stops the start",
            ("tests/house/test_routes.py::test_a_route_without_a_rule_stops_the_start",),
            without("no rule is enough", (_AUTH, "        if len(rules) != 1:", "        if len(rules) > 1:")),
        ),
        Statement(
            "A route that the matrix does not list fails the build",
            ("tests/access/test_teeth.py::test_a_route_without_an_entry_stops_the_build",),
            without(
                "routes without an entry are left out of the matrix",
                ("infra/access/matrix.py", "    if named != written:", "    if written - named:"),
            ),
        ),
        Statement(
            "Somebody else's wallet does not exist: 404, at every depth",
            (
                "tests/wallet_api/test_payments.py::test_somebody_elses_wallet_does_not_exist",
                f"{_MATRIX}[wallet GET /wallets/{{wallet_id}}]",
            ),
            without(
                "neither who looks nor who pays is compared with whose it is",
                (
                    "services/wallets/tables/access.py",
                    "where(WalletRow.id == wallet_id, acts_for(account_id, WalletRow.person_id))",
                    "where(WalletRow.id == wallet_id)",
                ),
                (
                    "services/wallets/tables/access.py",
                    "    if row is None or not (row[4] or row[5]):",
                    "    if row is None:",
                ),
                (
                    "services/wallets/tables/holdings.py",
                    "            if row[1] is None or not may:",
                    "            if row[1] is None:",
                ),
            ),
        ),
        Statement(
            "Another store does not exist: 404",
            ("tests/merchant_api/test_payments.py::test_another_store_does_not_exist",),
            without(
                "whoever works in a store works in all",
                (
                    "services/merchants/at_till.py",
                    "    if store is None or store.member_role not in roles:",
                    "    if store is None:",
                ),
            ),
        ),
        Statement(
            "What was not asked for is refused by its name",
            (f"{_THINGS}test_what_was_not_asked_for_is_refused_by_name[city POST /grants]",),
            without(
                "unknown members are passed over",
                (
                    "infra/http/strict.py",
                    'ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)',
                    'ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)',
                ),
            ),
        ),
        Statement(
            "A store never sees who paid",
            (
                "tests/merchant_api/test_payments.py::test_a_store_never_sees_who_paid",
                f"{_THINGS}test_a_store_never_sees_who_paid",
            ),
            without(
                "a payment's number names the wallet as well",
                (
                    "merchant_api/payments.py",
                    '        "number": payment.number,',
                    '        "number": f"{payment.number} {payment.wallet_id}",',
                ),
            ),
        ),
        Statement(
            "A store's statements are its owner's and manager's to download, and nobody else's",
            (
                "tests/settlement/test_settlement_read.py::test_an_owner_and_a_manager_see_their_stores_statements_and_nobody_else",
                f"{_MATRIX}[merchant GET /stores/{{store_id}}/statements]",
            ),
            without(
                "the role in the store is not compared",
                (
                    "services/settlement/read.py",
                    "if not any(each.store.id == store_id and each.role in MAY_SEE for each in its_stores):",
                    "if not any(each.store.id == store_id for each in its_stores):",
                ),
            ),
        ),
        Statement(
            "A bank file is theirs to download who pay, and not theirs who only read",
            (
                "tests/house/test_routes.py::test_in_the_city_one_role_acts_another_approves_and_all_read",
                "tests/access/test_matrix.py::test_the_page_is_what_the_rules_say",
            ),
            without(
                "whoever reads for the city downloads it",
                (
                    "city_api/bank_files.py",
                    "async def download_bank_file(bank_file_id: UUID, token: Payer, here: Here)",
                    "async def download_bank_file(bank_file_id: UUID, token: CityStaff, here: Here)",
                ),
            ),
        ),
        Statement(
            "The API cannot alter the ledger: the database gives its role no right to",
            ("tests/house/test_rights.py::test_every_cell_is_so",),
            without(
                "the migrations grant the application UPDATE on what is written once, and no trigger stands before it",
                (
                    _FOUNDATION,
                    "_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} ",
                    "_written_once BEFORE TRUNCATE ON {table} ",
                ),
                (
                    _FOUNDATION,
                    '    for table in WRITTEN_ONCE:\n        op.execute(f"GRANT SELECT, INSERT ON {table} TO tanabata_app")',
                    '    for table in WRITTEN_ONCE:\n        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO tanabata_app")',
                ),
            ),
        ),
        Statement(
            "Analytics cannot see names: its role reads views without them, and no table",
            (
                "tests/house/test_rights.py::test_every_cell_is_so",
                "tests/house/test_rights.py::test_the_file_is_what_the_database_says",
            ),
            without(
                "the migrations let the analyst read accounts, in the schema where they are",
                (
                    "infra/database/migrations/versions/0011_insight.py",
                    '    op.execute(f"GRANT USAGE ON SCHEMA {insight} TO tanabata_analyst")',
                    '    op.execute(f"GRANT USAGE ON SCHEMA {insight} TO tanabata_analyst")\n'
                    "    op.execute(\"DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO tanabata_analyst',\"\n"
                    '               " current_schema()); END $$")\n'
                    '    op.execute("GRANT SELECT ON account TO tanabata_analyst")',
                ),
            ),
        ),
    ),
)
