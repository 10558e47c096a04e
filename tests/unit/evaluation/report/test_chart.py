"""The chart of a history: what is on it, and that it can be read."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from trainer.evaluation.report import chart as drawing
from trainer.evaluation.report.chart import POINTS_MOST, Colour, Point, alt_text, chart
from trainer.evaluation.statistics import wilson
from trainer.i18n import translator

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 86_400
T = translator("en")
DARK: Colour = (49, 51, 56)
LIGHT: Colour = (255, 255, 255)
"""What chats show behind pictures."""


def history(*passed: int, of: int = 20, apart: float = DAY) -> list[Point]:
    return [Point(1_790_000_000 + at * apart, count, of, *wilson(count, of)) for at, count in enumerate(passed)]


def picture(points: list[Point], baseline: float | None = None) -> Image.Image:
    data = chart(points, baseline)
    assert data.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA")


def where(image: Image.Image, colour: Colour) -> NDArray[np.bool_]:
    """The pixels that are of about this colour: edges are smooth, and thin lines may lie between pixels."""
    distance = np.abs(np.asarray(image, np.int16)[:, :, :3] - np.array(colour, np.int16)).sum(axis=2)
    return np.asarray(distance < 50)


def amount(image: Image.Image, colour: Colour) -> int:
    """How many pixels are of this colour."""
    return int(where(image, colour).sum())


def height_of(image: Image.Image, colour: Colour, x: int) -> float:
    """The middle of what is of this colour in a column."""
    (ys,) = where(image, colour)[:, x].nonzero()
    assert len(ys)
    return float(ys.mean())


def luminance(colour: Colour) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_is_measured_aright() -> None:
    assert contrast((0, 0, 0), LIGHT) == pytest.approx(21)
    assert contrast((119, 119, 119), LIGHT) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colour", [drawing.AXIS_TEXT, drawing.VALUE_TEXT, drawing.BASELINE, drawing.LINE])
def test_everything_that_is_read_stands_out_from_the_card(colour: Colour) -> None:
    assert contrast(colour, drawing.CARD) >= 4.5


def test_the_line_stands_out_from_its_band() -> None:
    assert contrast(drawing.LINE, drawing.BAND) >= 2.5


@pytest.mark.parametrize("page", [DARK, LIGHT])
def test_it_reads_the_same_on_dark_and_light_pages(page: Colour) -> None:
    image = picture(history(8, 12, 15), 0.2)
    behind = Image.new("RGBA", image.size, (*page, 255))
    behind.alpha_composite(image)
    inner = (30, 30, image.width - 30, image.height - 30)
    assert behind.crop(inner).tobytes() == image.crop(inner).tobytes()
    assert behind.getpixel((0, 0)) == (*page, 255)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 29, 30])
def test_any_history_is_drawn(count: int) -> None:
    image = picture(history(*(number % 21 for number in range(count))))
    assert image.size == (drawing.WIDTH, drawing.HEIGHT)
    assert amount(image, drawing.LINE) > 100
    assert amount(image, drawing.BAND) > 100


def test_of_a_long_history_the_end_is_drawn() -> None:
    points = history(*(number % 21 for number in range(POINTS_MOST * 4)))
    assert chart(points) == chart(points[-POINTS_MOST:])
    assert chart(points) != chart(points[:POINTS_MOST])


def test_the_line_rises_with_the_rate() -> None:
    image = picture(history(2, 18))
    places = [height_of(image, drawing.LINE, x) for x in range(200, 800, 25)]
    assert all(before > after for before, after in pairwise(places))


def test_the_baseline_is_a_dashed_line_at_its_height() -> None:
    points = history(10, 12)
    assert amount(picture(points), drawing.BASELINE) == 0
    image = picture(points, 0.25)
    amber = where(image, drawing.BASELINE)
    quarter = height_of(image, drawing.BASELINE, drawing.LEFT + 5)
    assert quarter == pytest.approx(drawing.TOP + 0.75 * (drawing.HEIGHT - drawing.TOP - drawing.BOTTOM), abs=2)
    row = amber[round(quarter), drawing.LEFT : drawing.WIDTH - drawing.RIGHT]
    assert 0.3 < row.mean() < 0.8


@pytest.mark.parametrize(
    ("passed", "baseline"), [(0, 0.0), (1, 0.0), (0, 0.1), (10, 0.45), (10, 0.55), (20, 0.97), (19, 1.0)]
)
def test_the_two_figures_do_not_cover_each_other(passed: int, baseline: float) -> None:
    image = picture(history(passed), baseline)
    right = image.crop((drawing.WIDTH - drawing.RIGHT + 6, 0, drawing.WIDTH - 4, drawing.HEIGHT))
    texts = {
        name: set(np.flatnonzero(np.any(where(right, colour), axis=1)).tolist())
        for name, colour in (
            ("rate", drawing.VALUE_TEXT),
            ("counts", drawing.AXIS_TEXT),
            ("baseline", drawing.BASELINE),
        )
    }
    assert all(texts.values())
    assert not texts["baseline"] & (texts["rate"] | texts["counts"])
    assert min(texts["baseline"]) > 6
    assert max(texts["baseline"]) < drawing.HEIGHT - drawing.BOTTOM + 20  # the dates are below


def test_a_run_that_judged_nothing_leaves_a_gap() -> None:
    points = history(10, 10, 10)
    middle = (drawing.LEFT + drawing.WIDTH - drawing.RIGHT) // 2
    assert where(picture(points), drawing.LINE)[:, middle].any()
    points[1] = Point(points[1].at, 0, 0, 0.0, 1.0)
    assert not where(picture(points), drawing.LINE)[:, middle - 60 : middle + 60].any()


def test_a_history_without_a_rate_is_an_empty_chart() -> None:
    image = picture([Point(0, 0, 0, 0.0, 1.0)], 0.5)
    assert amount(image, drawing.LINE) == amount(image, drawing.VALUE_TEXT) == 0
    assert amount(image, drawing.BASELINE) > 0


def test_no_history_is_no_chart() -> None:
    with pytest.raises(ValueError, match="needs a run"):
        chart([])


def test_the_same_history_makes_the_same_picture() -> None:
    assert chart(history(3, 4, 5), 0.1) == chart(history(3, 4, 5), 0.1)


def test_the_alt_text_says_what_the_chart_shows() -> None:
    points = history(8, 6, 15)
    points[-1] = points[-1]._replace(label="After the corrections")
    assert alt_text(points, T, 0.1) == (
        "Pass rate of the last 3 runs. After the corrections. Latest, 2026-09-23: 75% (15 of 20), 95% interval 53% "
        "to 89%. First, 2026-09-21: 40%. Lowest 30%, highest 75%. Untrained: 10% (dashed line)."
    )
    assert alt_text(history(20), T) == (
        "Pass rate of 1 run. Latest, 2026-09-21: 100% (20 of 20), 95% interval 84% to 100%."
    )
    assert alt_text([Point(0, 0, 0, 0.0, 1.0)], T) == "Pass rate of 1 run."


def test_the_alt_text_is_in_the_language_of_the_reader() -> None:
    said = alt_text(history(8, 15), translator("ru"), 0.1)
    assert "последние прогоны: 2 прогона" in said
    assert "Без обучения: 10\u00a0% (пунктир)." in said
