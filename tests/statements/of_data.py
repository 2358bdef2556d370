"""Statements on data: what is written down, what is not, and how an alteration is found."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_WALK, _FOUNDATION = "services/proof/chain_walk.py", "infra/database/migrations/versions/0001_foundation.py"
_LETTER = "tests/wallet_api/test_residency_letter.py::"

DATA: Final = Chapter(
    "Data",
    (
        Statement(
            "A formula in a CSV is text",
            ("tests/analytics/charts/test_figures.py::test_no_text_of_a_csv_is_taken_for_a_formula",),
            without(
                "text goes out as it is",
                (
                    "analytics/sheet_text.py",
                    'return f"\'{text}" if _FORMULA.match(text) else text',
                    "return text",
                ),
            ),
        ),
        Statement(
            "A formula in a workbook is text",
            ("tests/analytics/reports/test_forms.py::test_only_totals_are_formulas_and_text_stays_text",),
            without(
                "what looks like a formula becomes one",
                ("analytics/reports/workbook.py", '"strings_to_formulas": False', '"strings_to_formulas": True'),
                (
                    "analytics/reports/cells.py",
                    "sheet.write_string(row, column, text, self.form(",
                    "sheet.write(row, column, text, self.form(",
                ),
            ),
        ),
        Statement(
            "Every look of staff at a resident is in the audit log, with its reason",
            (
                "tests/city_api/test_money_path.py::test_the_office_looks_and_it_is_written_down",
                "tests/wallet_api/test_lost_phone.py::test_the_call_centre_looks_and_blocks_and_all_of_it_is_recorded",
            ),
            without(
                "what is looked at is counted, and not written down",
                (
                    "services/identity/look_at.py",
                    "        await audit.record(tx, looker.account_id, action, subject_id, **said)\n",
                    "        pass\n",
                ),
            ),
        ),
        Statement(
            "Where the audit log cannot be written, no money moves",
            ("tests/kit/test_audit.py::test_where_the_log_cannot_be_written_the_money_rolls_back",),
            without(
                "a failure to write an entry is passed over",
                (
                    "services/kit/audit.py",
                    "    [entry_id] = await tables.write_audits(tx, [(actor_id, action, subject_id, content)])",
                    "    entry_id = tx.new_id()\n    try:\n        async with tx.connection.begin_nested():\n            await tables.write_audits(tx, [(actor_id, action, subject_id, content)])\n    except Exception:  # noqa: BLE001, S110\n        pass",
                ),
            ),
        ),
        Statement(
            "The audit log is append-only: no role of the application alters it",
            ("tests/house/test_rights.py::test_every_cell_is_so",),
            without(
                "the application may, and no trigger stands before it",
                (
                    _FOUNDATION,
                    '    for table in WRITTEN_ONCE:\n        op.execute(\n            f"CREATE TRIGGER',
                    '    for table in set(WRITTEN_ONCE) - {"audit_entry"}:\n        op.execute(\n            f"CREATE TRIGGER',
                ),
                (
                    _FOUNDATION,
                    "def grant_rights() -> None:\n",
                    'def grant_rights() -> None:\n    op.execute("GRANT UPDATE ON audit_entry TO tanabata_app")\n',
                ),
            ),
        ),
        Statement(
            "An edited entry is found by the hash chain",
            ("tests/proof/test_verify.py::test_every_alteration_is_found_and_its_entry_named",),
            without(
                "an entry is not compared with its seal",
                (_WALK, "elif self._hash is not None and link.after(self._hash) != link.hash:", "elif False:"),
            ),
        ),
        Statement(
            "A cut tail is found by the anchor outside the database",
            ("tests/proof/test_verify.py::test_a_cut_tail_is_found_by_its_anchor_and_by_nothing_else",),
            without(
                "anchors beyond the chain's end are not looked at",
                (
                    _WALK,
                    "for place, each in sorted(self._anchored.items()) if place > self.position]",
                    "for place, each in sorted(self._anchored.items()) if place < 0]",
                ),
            ),
        ),
        Statement(
            "Passwords are kept as argon2id",
            ("tests/identity/test_passwords.py::test_a_password_is_kept_as_argon2id_with_the_given_cost",),
            without(
                "argon2i takes its place",
                (
                    "services/identity/passwords.py",
                    "return PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)",
                    'return PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, type=__import__("argon2").Type.I)',
                ),
            ),
        ),
        Statement(
            "A name that looks like the register's is another's, and in every spelling it is the same",
            (
                f"{_LETTER}test_a_name_that_looks_like_the_registers_proves_nothing",
                f"{_LETTER}test_every_spelling_of_a_name_proves_one_person",
            ),
            without(
                "marks are dropped from letters, and neither widths nor old forms are folded",
                (
                    "services/residency/names.py",
                    '    composed = unicodedata.normalize("NFKC", text)',
                    '    composed = "".join(s for s in unicodedata.normalize("NFD", text) if not unicodedata.combining(s))',
                ),
                ("services/residency/names.py", ".translate(_FOLDING).casefold()", ".casefold()"),
            ),
        ),
        Statement(
            "What an installation runs is listed, with versions and hashes (SBOM)",
            ("tests/house/test_sbom.py::test_the_bill_of_materials_lists_every_package_of_the_lock_with_its_hashes",),
            without(
                "another list than the installation's is taken",
                (
                    "Makefile",
                    "requirements requirements.lock --pyproject",
                    "requirements requirements-dev.lock --pyproject",
                ),
            ),
        ),
        Statement(
            "Secrets and personal data are in no log, no problem and no audit entry",
            ("tests/infra/test_canaries.py::test_no_canary_is_in_a_log_a_problem_or_the_audit_log",),
            without(
                "a refusal repeats what was sent",
                ("infra/http/problems.py", "**limits}\n", '**limits, "sent": str(error.get("input"))}\n'),
            ),
        ),
    ),
)
