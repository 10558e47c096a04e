"""Assertions as promptfoo writes them, in objects and in the cells of tables, turned into checks. Pure.

After promptfoo's documentation of test cases and of assertions. What nothing here can score is a rejection, never
left out: a case must not pass because half of it was not understood. Left out is only what cannot fail by definition:
an assertion of weight 0, or one that is there for its metric.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.evaluation.cases import CHECKS_MOST, EXPECTED_MOST, VALUES_MOST
from trainer.evaluation.reading import names, templates
from trainer.evaluation.reading.kinds import KINDS, UNSUPPORTED, make_check, match_of
from trainer.evaluation.reading.numbers import is_on, number_of, share_of, tolerance_of
from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason
from trainer.evaluation.reading.texts import tidy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainer.evaluation.cases import Check

_TYPES: Final = ("type", "kind", *names.MATCHES)
_VALUES: Final = ("value", "values", *names.EXPECTED)
_TRANSFORMS: Final = ("transform", "context_transform", "rubric_prompt", "assert_scoring_function")
"""Fields that change what is compared, or how, in ways that are not followed here."""
_STRING = re.compile(
    r"(?P<name>(?:not-)?[a-z][a-z:+-]{0,40})(?P<threshold>\([\d.,]{1,20}%?\))?(?::(?P<value>.*))?", re.DOTALL
)
_FILE = "file://"


def checks_of(value: object, field: str, vars_: Mapping[str, object] | None) -> list[Check]:
    """The checks of a list of assertions, or of one alone.

    Args:
        value: objects with a type and a value, or texts such as `contains: Paris`.
        field: the name for rejections.
        vars_: what `{{name}}` in values stands for; None where such braces are plain text.

    Raises:
        BadCase: one of them cannot be carried out.
    """
    given = value if isinstance(value, list) else [value]
    if len(given) > CHECKS_MOST:
        raise BadCase(CaseRejectionReason.TOO_MANY, field)
    return [check for one in given for check in _checks(one, field, vars_)]


def _checks(value: object, field: str, vars_: Mapping[str, object] | None) -> Iterator[Check]:
    if isinstance(value, str):
        yield check_of_text(value, field, vars_)
        return
    if not isinstance(value, dict):
        raise BadCase(CaseRejectionReason.WRONG_TYPE, field)
    fields = names.named(value)
    kind = fields.get(names.first(fields, _TYPES) or "type")
    if not isinstance(kind, str):
        raise BadCase(CaseRejectionReason.UNKNOWN_MATCH, field)
    if kind == "assert-set" and names.is_absent(fields.get("threshold")) and names.is_absent(fields.get("weight")):
        # All of a set without a threshold must pass: no other than its assertions by themselves.
        yield from checks_of(_flat(fields.get("assert"), field), field, vars_)
        return
    weight = 1.0 if names.is_absent(fields.get("weight")) else number_of(fields["weight"], "weight")
    if weight and not is_on(fields.get("metric_only")):
        yield _check(fields, kind, weight, field, vars_)


def _flat(value: object, field: str) -> object:
    """The assertions of a set, which must not hold sets itself."""
    if not isinstance(value, list) or any(isinstance(one, dict) and one.get("type") == "assert-set" for one in value):
        raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.assert-set")
    return value


def _check(
    fields: Mapping[str, object], kind: str, weight: float, field: str, vars_: Mapping[str, object] | None
) -> Check:
    match = match_of(kind, field)
    for name in _TRANSFORMS:
        if not names.is_absent(fields.get(name)):
            raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.{name}")
    threshold = match.threshold
    if not names.is_absent(fields.get("threshold")):
        threshold = share_of(fields["threshold"], "threshold")
    tolerance = (0.0, False)
    if not names.is_absent(fields.get("tolerance")):
        tolerance = tolerance_of(fields["tolerance"], "tolerance")
    return make_check(
        match.kind,
        _values(fields.get(names.first(fields, _VALUES) or "value"), field, vars_),
        field,
        threshold=threshold,
        tolerance=(tolerance[0], tolerance[1] or is_on(fields.get("relative"))),
        weight=weight,
        negate=match.negate != is_on(fields.get("negate")),
    )


def _values(value: object, field: str, vars_: Mapping[str, object] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    given = value if isinstance(value, list) else [value]
    if len(given) > VALUES_MOST:
        raise BadCase(CaseRejectionReason.TOO_MANY, field)
    texts: list[str] = []
    for one in given:
        if not isinstance(one, str):
            raise BadCase(CaseRejectionReason.WRONG_TYPE, field)
        if one.lstrip().startswith(_FILE):
            raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.file")
        texts.append(tidy(one if vars_ is None else templates.fill(one, vars_, field), field, EXPECTED_MOST))
    return tuple(dict.fromkeys(text for text in texts if text))


def check_of_text(
    text: str, field: str, vars_: Mapping[str, object] | None, *, threshold: float | None = None
) -> Check:
    """The check that a cell such as `similar(0.8): hello` or `not-contains: x` means.

    What begins with no known name is the expected text itself. Raises `BadCase`.

    Args:
        text: the cell.
        field: the column.
        vars_: what `{{name}}` stands for.
        threshold: one that a column of its own gives; one in the text counts first.
    """
    text = text.strip()
    given = _STRING.fullmatch(text)
    name = given["name"].removeprefix("not-") if given else ""
    if given is None or not (name in KINDS or name in UNSUPPORTED) or not _is_assertion(name, given):
        return make_check("exact", _values(text, field, vars_), field)
    match = match_of(given["name"] + (given["threshold"] or ""), field)
    return make_check(
        match.kind,
        _values((given["value"] or "").strip(), field, vars_),
        field,
        threshold=threshold if match.threshold is None else match.threshold,
        negate=match.negate,
    )


def _is_assertion(name: str, given: re.Match[str]) -> bool:
    """Whether a text that begins with a known name means it: `is-json` and `cost(0.1)` do, `human` is an answer."""
    if given["value"] is not None or given["threshold"]:
        return True
    return name.startswith(("is-", "contains-", "word-")) or name in {"latency", "cost", "guardrails", "moderation"}
