"""Frozen dataclasses that cost little to make, for the nouns of the hot path.

A frozen dataclass sets each field through `object.__setattr__`; a payment makes two dozen of them, which
costs more than all that it computes. `quick` gives such a class a constructor that writes the fields into
the instance at once. Everything else stays the dataclass's own: frozen, comparable, hashable, replaceable.
"""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def quick(kind: type[T]) -> type[T]:
    """The same frozen dataclass with a quick constructor; put it above `@dataclass(frozen=True)`.

    Raises TypeError for a class whose own constructor does more than set its fields.
    """
    if not is_dataclass(kind) or hasattr(kind, "__post_init__") or not kind.__dictoffset__:
        raise TypeError(f"{kind.__name__} is not a plain dataclass: nothing may be left out of making one")
    known = fields(kind)
    if any(not field.init or field.kw_only or field.default_factory is not MISSING for field in known):
        raise TypeError(f"{kind.__name__} has fields that are not simply set")
    defaults = {f"_{field.name}": field.default for field in known if field.default is not MISSING}
    parameters = [f"{field.name}=_{field.name}" if f"_{field.name}" in defaults else field.name for field in known]
    lines = [f"    values[{field.name!r}] = {field.name}" for field in known]
    source = "\n".join([f"def __init__(self, {', '.join(parameters)}):", "    values = self.__dict__", *lines])
    made: dict[str, Any] = {}
    exec(source, defaults, made)  # noqa: S102 - as dataclasses themselves do; the names are our own fields'
    made["__init__"].__qualname__ = f"{kind.__qualname__}.__init__"
    kind.__init__ = made["__init__"]  # type: ignore[method-assign]
    return kind
