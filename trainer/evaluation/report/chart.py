"""The pass rate over runs, as a picture: a line with its 95% interval, the last run emphasised.

The picture has words in no language: numbers, per cent signs and dates. What it shows is told by `alt_text` and by
the message it stands in. It brings its own background, so it reads the same on dark and light pages.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from trainer.evaluation.report.words import percent
from trainer.i18n import N_, SOURCE_LANGUAGE, translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.i18n import Translator

POINTS_MOST: Final = 30
"""Runs that are drawn: the last ones."""
WIDTH: Final = 1_100
HEIGHT: Final = 500
"""Pixels. Chats show pictures at about half of this, hence the large letters."""
SCALE: Final = 4
"""It is drawn so many times as large, and then reduced: that makes the edges smooth."""

Colour = tuple[int, int, int]

CARD: Final[Colour] = (24, 27, 36)
EDGE: Final[Colour] = (58, 64, 82)
GRID: Final[Colour] = (44, 49, 64)
AXIS_TEXT: Final[Colour] = (166, 173, 192)
VALUE_TEXT: Final[Colour] = (255, 255, 255)
LINE: Final[Colour] = (124, 160, 255)
BAND: Final[Colour] = (45, 57, 92)
BASELINE: Final[Colour] = (240, 178, 84)

LEFT: Final = 104
RIGHT: Final = 186
TOP: Final = 44
BOTTOM: Final = 72
RADIUS: Final = 26
AXIS_SIZE: Final = 25
VALUE_SIZE: Final = 50
LABEL_GAP: Final = 26
"""Pixels between two dates at least."""
DASH: Final = (14, 10)


class Point(NamedTuple):
    """A run in the history."""

    at: float
    """When it began, in seconds since the epoch."""
    passed: int
    judged: int
    low: float
    """The interval of the pass rate, 0 to 1."""
    high: float
    label: str = ""
    """What tells this run from others, for the alt text; may be empty."""

    @property
    def rate(self) -> float | None:
        """The pass rate, 0 to 1; None if nothing was judged."""
        return self.passed / self.judged if self.judged else None


class _Place(NamedTuple):
    """Where a run that has a rate is drawn, in pixels of the finished picture."""

    x: float
    rate: float
    point: Point


def chart(history: Sequence[Point], baseline: float | None = None) -> bytes:
    """Draw runs, the earliest first, as PNG.

    Args:
        history: the runs; of more than `POINTS_MOST` the last ones are drawn. A run that judged nothing leaves a gap.
        baseline: the untrained pass rate, 0 to 1, for a dashed line.

    Raises:
        ValueError: there is no run.
    """
    if not history:
        raise ValueError("a chart needs a run")
    canvas = _Canvas()
    shown = history[-POINTS_MOST:]
    canvas.card()
    canvas.grid()
    xs = _spread(len(shown))
    _dates(canvas, shown, xs)
    stretches = _stretches(shown, xs)
    for stretch in stretches:
        _band(canvas, stretch)
    if baseline is not None:
        canvas.dashes(_height(baseline), BASELINE)
    for stretch in stretches:
        _line(canvas, stretch, dots=9 - len(shown) / 8)
    last = stretches[-1][-1] if stretches and stretches[-1][-1].point is shown[-1] else None
    if last is not None:
        _emphasise(canvas, last)
    _values(canvas, last, baseline)
    return canvas.png()


def alt_text(history: Sequence[Point], t: Translator, baseline: float | None = None) -> str:
    """The chart in words, for those who do not see it."""
    shown = history[-POINTS_MOST:]
    sentences = [t.plural("Pass rate of {count} run.", "Pass rate of the last {count} runs.", len(shown))]
    rated = [(point, point.rate) for point in shown if point.rate is not None]
    if rated:
        point, rate = rated[-1]
        values = {
            "rate": percent(t, rate), "passed": point.passed, "judged": point.judged,
            "low": percent(t, point.low), "high": percent(t, point.high), "date": _date(point),
        }  # fmt: skip
        text = N_("Latest, {date}: {rate} ({passed} of {judged}), 95% interval {low} to {high}.")
        sentences.append((f"{point.label}. " if point.label else "") + t(text, **values))
    if len(rated) > 1:
        first, rates = rated[0], [rate for _, rate in rated]
        text = N_("First, {date}: {rate}. Lowest {lowest}, highest {highest}.")
        lowest, highest = percent(t, min(rates)), percent(t, max(rates))
        sentences.append(t(text, date=_date(first[0]), rate=percent(t, first[1]), lowest=lowest, highest=highest))
    if baseline is not None:
        sentences.append(t(N_("Untrained: {rate} (dashed line)."), rate=percent(t, baseline)))
    return " ".join(sentences)


class _Canvas:
    """A picture that is drawn on in pixels of its finished size."""

    def __init__(self) -> None:
        self._image = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), (*CARD, 0))
        self._draw = ImageDraw.Draw(self._image)
        self._fonts: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}

    def card(self) -> None:
        box = (0, 0, WIDTH * SCALE - 1, HEIGHT * SCALE - 1)
        self._draw.rounded_rectangle(box, RADIUS * SCALE, fill=(*CARD, 255), outline=(*EDGE, 255), width=2 * SCALE)

    def grid(self) -> None:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = _height(share)
            self.line([(LEFT, y), (WIDTH - RIGHT, y)], GRID if share else EDGE, 2)
            self.text((LEFT - 18, y), f"{share:.0%}", AXIS_SIZE, AXIS_TEXT, "rm")

    def line(self, places: Sequence[tuple[float, float]], colour: Colour, width: float) -> None:
        self._draw.line(_scaled(places), fill=(*colour, 255), width=round(width * SCALE), joint="curve")

    def dashes(self, y: float, colour: Colour) -> None:
        on, off = DASH
        for x in range(LEFT, WIDTH - RIGHT, on + off):
            self.line([(x, y), (min(x + on, WIDTH - RIGHT), y)], colour, 3)

    def area(self, places: Sequence[tuple[float, float]], colour: Colour) -> None:
        self._draw.polygon(_scaled(places), fill=(*colour, 255))

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        box = _scaled([(x - radius, y - radius), (x + radius, y + radius)])
        self._draw.ellipse(box, fill=(*colour, 255))

    def text(self, place: tuple[float, float], text: str, size: int, colour: Colour, anchor: str) -> None:
        (spot,) = _scaled([place])
        self._draw.text(spot, text, fill=(*colour, 255), font=self._font(size), anchor=anchor)

    def width(self, text: str, size: int) -> float:
        return self._draw.textlength(text, font=self._font(size)) / SCALE

    def png(self) -> bytes:
        buffer = io.BytesIO()
        self._image.reduce(SCALE).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _font(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        if size not in self._fonts:
            self._fonts[size] = ImageFont.load_default(size * SCALE)
        return self._fonts[size]


def _scaled(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x * SCALE, y * SCALE) for x, y in places]


def _height(share: float) -> float:
    """Where a share, 0 to 1, is on the picture."""
    return TOP + (1 - min(1.0, max(0.0, share))) * (HEIGHT - TOP - BOTTOM)


def _spread(count: int) -> list[float]:
    """Where runs are drawn: as far apart as there is room, but not so far that two look lost; one in the middle."""
    inset = 34
    room = WIDTH - RIGHT - LEFT - 2 * inset
    if count == 1:
        return [LEFT + inset + room / 2]
    return [LEFT + inset + room * place / (count - 1) for place in range(count)]


def _stretches(shown: Sequence[Point], xs: Sequence[float]) -> list[list[_Place]]:
    """Runs with a rate that follow each other."""
    found: list[list[_Place]] = []
    gap = True
    for point, x in zip(shown, xs, strict=True):
        if (rate := point.rate) is None:
            gap = True
            continue
        if gap:
            found.append([])
        found[-1].append(_Place(x, rate, point))
        gap = False
    return found


def _band(canvas: _Canvas, stretch: Sequence[_Place]) -> None:
    """The interval: an area, or for a run that stands alone a bar."""
    high = [(place.x, _height(place.point.high)) for place in stretch]
    low = [(place.x, _height(place.point.low)) for place in stretch]
    if len(stretch) == 1:
        (x, top), (_, bottom) = high[0], low[0]
        canvas.area([(x - 26, top), (x + 26, top), (x + 26, bottom), (x - 26, bottom)], BAND)
    else:
        canvas.area([*high, *reversed(low)], BAND)


def _line(canvas: _Canvas, stretch: Sequence[_Place], dots: float) -> None:
    places = [(place.x, _height(place.rate)) for place in stretch]
    if len(places) > 1:
        canvas.line(places, LINE, 5)
    for x, y in places:
        canvas.dot(x, y, dots, LINE)


def _emphasise(canvas: _Canvas, last: _Place) -> None:
    """A whisker over the last run's interval, and a ring around its dot."""
    y, top, bottom = _height(last.rate), _height(last.point.high), _height(last.point.low)
    canvas.line([(last.x, top), (last.x, bottom)], LINE, 3)
    for end in (top, bottom):
        canvas.line([(last.x - 9, end), (last.x + 9, end)], LINE, 3)
    canvas.dot(last.x, y, 17, CARD)
    canvas.dot(last.x, y, 13, VALUE_TEXT)
    canvas.dot(last.x, y, 8, LINE)


def _values(canvas: _Canvas, last: _Place | None, baseline: float | None) -> None:
    """At the right, in figures: the last run's rate with its counts, and the untrained rate, apart from it."""
    x = WIDTH - RIGHT + 18
    taken = (0.0, 0.0)
    if last is not None:
        y = min(max(_height(last.rate), TOP + 14), HEIGHT - BOTTOM - 58)
        canvas.text((x, y), _figure(last.rate), VALUE_SIZE, VALUE_TEXT, "lm")
        counts = f"{last.point.passed}/{last.point.judged}"
        size = AXIS_SIZE if canvas.width(counts, AXIS_SIZE) <= RIGHT - 30 else AXIS_SIZE - 7
        canvas.text((x, y + 40), counts, size, AXIS_TEXT, "lm")
        taken = (y - 30, y + 56)
    if baseline is not None:
        y = _height(baseline)
        above, below = taken[0] - 16, taken[1] + 16
        if above < y < below:
            # On the side that it is nearer to, if there is room: the dates are below, the edge is above.
            fits_above, fits_below = above >= TOP - 20, below <= HEIGHT - BOTTOM
            y = above if fits_above and (y - above < below - y or not fits_below) else below
        canvas.text((x, y), _figure(baseline), AXIS_SIZE + 3, BASELINE, "lm")


def _dates(canvas: _Canvas, shown: Sequence[Point], xs: Sequence[float]) -> None:
    """As many dates as there is room for, the last and the first before others; the time, where a date repeats."""
    y = HEIGHT - BOTTOM + 34
    order = [len(shown) - 1, 0, *_between(0, len(shown) - 1)]
    taken: list[tuple[float, float]] = []
    chosen: list[int] = []
    for place in dict.fromkeys(order):
        half = canvas.width(_date(shown[place]), AXIS_SIZE) / 2
        left, right = xs[place] - half, xs[place] + half
        if all(right + LABEL_GAP <= start or left >= end + LABEL_GAP for start, end in taken):
            taken.append((left, right))
            chosen.append(place)
    former = ""
    for place in sorted(chosen):
        date = _date(shown[place])
        moment = datetime.fromtimestamp(shown[place].at, UTC)
        text = f"{moment:%H:%M}" if date == former else date
        former = date
        canvas.text((xs[place], y), text, AXIS_SIZE, AXIS_TEXT, "mm")


def _between(first: int, last: int) -> list[int]:
    """The places between two, the middle ones of ever shorter stretches first."""
    found, stretches = [], [(first, last)]
    while stretches:
        left, right = stretches.pop(0)
        if right - left > 1:
            middle = (left + right) // 2
            found.append(middle)
            stretches += [(left, middle), (middle, right)]
    return found


def _figure(share: float) -> str:
    """A share in per cent, never rounded to all or nothing."""
    return percent(translator(SOURCE_LANGUAGE), share)


def _date(point: Point) -> str:
    return f"{datetime.fromtimestamp(point.at, UTC):%Y-%m-%d}"
