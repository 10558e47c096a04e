"""What chat models cost. Pure; a small table, with where each price comes from and when it was looked up.

Prices are those for ordinary requests. Cached input costs less and regional processing more, neither of which the
token counts of an answer tell, so a cost worked out here is an estimate of the bill and not the bill.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.ports import ChatUsage

MILLION: Final = 1_000_000
CHECKED: Final = "2026-11-22"
"""When the table was compared with the pages that it names."""
SOURCE: Final = "https://developers.openai.com/api/docs/pricing"
"""And a page for each model: https://developers.openai.com/api/docs/models/<model>."""


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input: float
    output: float


PRICES: Final[Mapping[str, Price]] = {
    "gpt-6-luna": Price(0.10, 0.50),
    "gpt-6-sol": Price(2.00, 10.00),
    "gpt-6.1-sol": Price(2.00, 10.00),
    "gpt-6-astra": Price(10.00, 50.00),
    "gpt-5.6-luna": Price(0.20, 1.20),
    "gpt-5.6-terra": Price(2.00, 12.00),
    "gpt-5.6-sol": Price(4.00, 20.00),
    "gpt-5.5": Price(5.00, 30.00),
    "gpt-5.4": Price(2.50, 15.00),
    "gpt-5.4-mini": Price(0.75, 4.50),
    "gpt-5.4-nano": Price(0.20, 1.25),
}

_DATED: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")
"""Servers name the exact version that answered: `gpt-6-luna-2026-09-22`."""


def price_of(model: str) -> Price | None:
    """What a model costs; None for one that the table does not know, such as a local one."""
    return PRICES.get(_DATED.sub("", model))


def parse_price(text: str) -> Price:
    """A price as it is configured, `<input>/<output>`, such as `0.10/0.50`. Raises ValueError."""
    first, slash, second = text.partition("/")
    price = Price(float(first), float(second))
    if not slash or not all(math.isfinite(part) and part >= 0 for part in price):
        raise ValueError("a price is two numbers that are not negative")
    return price


def cost_usd(price: Price | None, usage: ChatUsage) -> float | None:
    """What an answer cost, in US dollars; None where the price or the count of tokens is not known."""
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return (usage.input_tokens * price.input + usage.output_tokens * price.output) / MILLION
