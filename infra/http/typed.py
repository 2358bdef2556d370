"""What any typed number may be refused with; a route that reads one lists them."""

from services.kit.errors import Refusal
from services.kit.numbers import NumberMalformed, NumberMistyped, NumberOfOtherKind

NUMBER_REFUSALS: tuple[type[Refusal], ...] = (NumberMalformed, NumberMistyped, NumberOfOtherKind)
