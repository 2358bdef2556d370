"""Which methods an address takes, for the `Allow` of a 405.

Source: RFC 9110 section 15.5.6: the header lists all of them, where the router knows only those of the
first route that has the address.
"""

import re
from weakref import WeakKeyDictionary

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path
from starlette.types import Scope

_KNOWN: WeakKeyDictionary[FastAPI, list[tuple[re.Pattern[str], frozenset[str]]]] = WeakKeyDictionary()
"""An app's addresses, read once: its routes are complete before it answers anybody."""


def allowed_methods(app: FastAPI, scope: Scope) -> list[str]:
    """The methods of every route that has the address of this request, sorted."""
    known = _KNOWN.get(app)
    if known is None:
        known = [
            (compile_path(context.path or "")[0], frozenset(context.methods or ()))
            for context in iter_route_contexts(app.routes)
        ]
        _KNOWN[app] = known
    path = scope["path"].removeprefix(scope.get("root_path", ""))  # below where the app is mounted
    return sorted(set().union(*(methods for pattern, methods in known if pattern.match(path))))
