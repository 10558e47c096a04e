"""What chat models cost. Pure; a small table, with where each price comes from and when it was looked up.

Prices are those for ordinary requests. Regional processing and priority cost more, and so do prompts of more than
272,000 tokens, which ours never have; the token counts of an answer tell none of that. So a cost worked out here is
an estimate of the bill and not the bill.
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
"""When the table was last compared with what is published. /stats tells managers, so that they see how old it is."""
SOURCE: Final = "https://developers.openai.com/api/docs/pricing"
"""And a page for each model: https://developers.openai.com/api/docs/models/<model>.

Copies of these pages, of September to November 2026, were compared for gpt-6-luna, gpt-5.6-luna, gpt-5.6-sol and
gpt-5.4-nano. The others' prices were told alike by several who keep such tables from them.
"""
WRITING: Final = 1.25
"""From GPT-5.6 on, input that is kept for later requests costs so many times what other input does."""


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    """For input that the server still had from an earlier request; None: as other input."""
    written: float | None = None
    """For input that it keeps for later ones; None: as other input."""


def _price(input_: float, cached: float, output: float, *, pays_writing: bool = True) -> Price:
    return Price(input_, output, cached, input_ * WRITING if pays_writing else None)


PRICES: Final[Mapping[str, Price]] = {
    "gpt-6-luna": _price(0.10, 0.01, 0.50),
    "gpt-6-sol": _price(2.00, 0.20, 10.00),
    "gpt-6.1-sol": _price(2.00, 0.10, 10.00),
    "gpt-6-astra": _price(10.00, 1.00, 50.00),
    "gpt-5.6-luna": _price(0.20, 0.02, 1.20),
    "gpt-5.6-terra": _price(2.00, 0.20, 12.00),
    "gpt-5.6-sol": _price(4.00, 0.40, 20.00),  # an offer, promised until 2026-11-21 at least; before: 5.00 and 30.00
    "gpt-5.5": _price(5.00, 0.50, 30.00, pays_writing=False),
    "gpt-5.4": _price(2.50, 0.25, 15.00, pays_writing=False),
    "gpt-5.4-mini": _price(0.75, 0.075, 4.50, pays_writing=False),
    "gpt-5.4-nano": _price(0.20, 0.02, 1.25, pays_writing=False),
}

_DATED: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")
"""Servers name the exact version that answered: `gpt-6-luna-2026-09-22`."""


def price_of(model: str) -> Price | None:
    """What a model costs; None for one that the table does not know, such as a local one."""
    return PRICES.get(_DATED.sub("", model))


def parse_price(text: str) -> Price:
    """A price as it is configured, `<input>/<output>` or `<input>/<output>/<cached input>`. Raises ValueError."""
    parts = [float(part) for part in text.split("/")]
    if len(parts) not in {2, 3} or not all(math.isfinite(part) and part >= 0 for part in parts):
        raise ValueError("a price is two or three numbers that are not negative")
    return Price(*parts)


def cost_usd(price: Price | None, usage: ChatUsage) -> float | None:
    """What an answer cost, in US dollars; None where the price or the count of tokens is not known."""
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    # What a server says of parts is not believed beyond the whole.
    cached = min(max(usage.cached_tokens or 0, 0), usage.input_tokens)
    written = min(max(usage.cache_write_tokens or 0, 0), usage.input_tokens - cached)
    fresh = usage.input_tokens - cached - written
    dollars = fresh * price.input + usage.output_tokens * price.output
    dollars += cached * (price.input if price.cached is None else price.cached)
    dollars += written * (price.input if price.written is None else price.written)
    return dollars / MILLION
