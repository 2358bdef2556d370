"""The package's tables and every statement on them: schema, register (lists, letters, districts), residencies."""

from services.residency.tables import register, residencies, schema

__all__ = ["register", "residencies", "schema"]
