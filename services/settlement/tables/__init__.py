"""The package's tables and every statement on them: schema, closes, statements, bank files."""

from services.settlement.tables import closes, files, schema, statements

__all__ = ["closes", "files", "schema", "statements"]
