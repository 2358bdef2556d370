"""The package's tables and every statement on them: schema, registers, pins (with the tries at them)."""

from services.tills.tables import pins, registers, schema

__all__ = ["pins", "registers", "schema"]
