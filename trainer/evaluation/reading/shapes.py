"""From one decoded record to a case, whichever tool's shape it has. Pure.

    native       id, input, expected, match, threshold, tolerance, tags, weight, abstain, checks
    OpenAI       input (text or messages) and ideal; hosted rows with everything in `item`
    promptfoo    vars and assert; in tables `__expected` and its like
    inspect-ai   input, target, choices, id, metadata
    others       Langfuse's and DeepEval's input and expected_output, Braintrust's input and expected, LangSmith's
                 inputs and outputs, Ragas' user_input and reference
    chats        messages, the last of which is what is expected
    training     prompt and completion, question and answer, instruction, input and output

The shapes share most of their names, so they are not told apart: each part of a case is looked for under all of its
names. What is no part of a case, such as a system message, is passed over.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.evaluation.cases import CHECKS_MOST, QUESTION_MOST, TAG_MOST, TAGS_MOST, Case
from trainer.evaluation.reading import assertions, choices, columns, names
from trainer.evaluation.reading.defaults import default_checks
from trainer.evaluation.reading.identity import bounded, case_id
from trainer.evaluation.reading.kinds import GRADED, make_check, match_of
from trainer.evaluation.reading.numbers import is_on, share_of, tolerance_of, weight_of
from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason
from trainer.evaluation.reading.texts import Asked, asked_of, texts_of, tidy
from trainer.importers.chats import WrongShape
from trainer.importers.examples import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainer.evaluation.cases import Check
    from trainer.importers.rejections import Place

EXPECTED_CHARS_MOST: Final = 1 << 18
"""Characters of all that a case expects: as many texts as one check may have, of the greatest length."""
_ID_RAW = 4_000
_OPTIONS: Final = ("transform", "assert_scoring_function")


class Defaults(NamedTuple):
    """What promptfoo's `defaultTest` adds to each case."""

    fields: Mapping[str, object]
    fault: BadCase | None = None
    """Why it cannot be used, which each case has to be rejected for."""


NO_DEFAULTS: Final = Defaults({})


def defaults_of(value: object) -> Defaults:
    """The defaults that the value of `defaultTest` means."""
    if names.is_absent(value):
        return NO_DEFAULTS
    if not isinstance(value, dict):
        return Defaults({}, BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, names.DEFAULT_TEST))
    return Defaults(names.named(value))


def case_of(record: object, place: Place, defaults: Defaults = NO_DEFAULTS) -> Case:
    """The case that a record makes; its id is not yet unique in its file. Raises `BadCase`."""
    if not isinstance(record, dict):
        raise BadCase(CaseRejectionReason.NOT_AN_OBJECT)
    if not record:
        raise BadCase(CaseRejectionReason.EMPTY)
    if defaults.fault:
        raise BadCase(defaults.fault.reason, defaults.fault.field)
    fields = _unwrapped(names.named(record))
    try:
        return _Reading(fields, defaults.fields).case(place)
    except WrongShape as error:
        raise BadCase(CaseRejectionReason(error.reason.value), error.field) from None


def _unwrapped(fields: dict[str, object]) -> dict[str, object]:
    """The fields of a row of OpenAI's hosted evaluations, which stand in its `item`."""
    item = fields.get("item")
    if not isinstance(item, dict) or names.first(fields, (*names.QUESTIONS, *names.CONVERSATIONS)):
        return fields
    return {**fields, **names.named(item)}


class _Reading:
    """One record's parts, each looked for under its names."""

    def __init__(self, fields: Mapping[str, object], defaults: Mapping[str, object]) -> None:
        self._fields = fields
        self._defaults = defaults
        self._is_table = any(map(names.is_expected_column, fields))
        given = fields.get("vars")
        self._has_vars = self._is_table or isinstance(given, dict) or bool(defaults)
        own = names.named(given) if isinstance(given, dict) else {}
        if self._is_table:
            own = {name: value for name, value in fields.items() if not name.startswith("__")} | own
        inherited = defaults.get("vars")
        self._vars: Mapping[str, object] = ChainMap(
            own, names.named(inherited) if isinstance(inherited, dict) else {}
        )

    def case(self, place: Place) -> Case:
        fields = self._fields
        asked = self._asked()
        asserted = self._asserted()
        own = () if self._is_abstention() else self._expected(asked, asserted)
        question = asked.question
        name = names.first(fields, names.CHOICES)
        if name and not (name == "options" and isinstance(fields[name], dict)):  # promptfoo's settings
            offered = choices.choices_of(fields[name], name)
            question = tidy(choices.question_with(question, offered), name, QUESTION_MOST)
            own = choices.chosen(own, offered, names.first(fields, names.EXPECTED) or "target")
        else:
            offered = ()
        checks = (*self._compared(own, offered, asserted=bool(asserted)), *asserted)
        if not checks:
            raise BadCase(CaseRejectionReason.MISSING_ANSWER, "assert" if self._has_vars else "expected")
        if len(checks) > CHECKS_MOST:
            raise BadCase(CaseRejectionReason.TOO_MANY, "assert")
        if expected_size(checks) > EXPECTED_CHARS_MOST:
            raise BadCase(CaseRejectionReason.TOO_LONG, "assert" if asserted else "expected")
        name = names.first(fields, names.WEIGHTS)
        return Case(
            id=self._id() or case_id(question, asked.former),
            question=question,
            checks=checks,
            former=asked.former,
            tags=self._tags(),
            weight=weight_of(fields[name], name) if name else 1.0,
            threshold=self._threshold(asserted=bool(asserted)),
            place=place,
        )

    def _asked(self) -> Asked:
        fields = self._fields
        asked: Asked | None = None
        if name := names.first(fields, names.CONVERSATIONS):
            asked = asked_of(fields[name], name)
        elif name := names.first(fields, names.QUESTIONS):
            asked = asked_of(fields[name], name)
            material = fields.get("input")
            if name == "instruction" and isinstance(material, str) and material.strip():
                # Alpaca: the material that the instruction is about.
                asked = asked._replace(question=tidy(f"{asked.question}\n{material}", "input", QUESTION_MOST))
        elif self._has_vars:
            asked = self._asked_by_variables()
        if asked is None:
            known = any(map(names.is_known, fields))
            reason = CaseRejectionReason.MISSING_QUESTION if known else CaseRejectionReason.UNKNOWN_SHAPE
            raise BadCase(reason, "question" if known else "")
        if not asked.question:
            raise BadCase(CaseRejectionReason.MISSING_QUESTION, name or "vars")
        return asked._replace(question=columns.surrounded(asked.question, fields))

    def _asked_by_variables(self) -> Asked:
        """What the variable asks that has the name of a question, or is the only one."""
        name = names.first(self._vars, (*names.QUESTIONS, *names.CONVERSATIONS))
        if name:
            return asked_of(self._vars[name], name)
        given = [value for value in self._vars.values() if not names.is_absent(value)]
        if len(given) != 1:
            raise BadCase(CaseRejectionReason.MISSING_QUESTION, "vars")
        return asked_of(given[0], "vars")

    def _asserted(self) -> tuple[Check, ...]:
        """The checks of all assertions: the defaults' first, as promptfoo merges them."""
        fields, variables = self._fields, self._vars if self._has_vars else None
        for options, field in ((self._defaults, names.DEFAULT_TEST), (fields, "options")):
            nested = options.get("options")
            for source in (options, names.named(nested) if isinstance(nested, dict) else {}):
                if any(not names.is_absent(source.get(name)) for name in _OPTIONS):
                    raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.transform")
        found: list[Check] = []
        if not names.is_absent(inherited := self._defaults.get("assert")) and not _opts_out(fields):
            found += assertions.checks_of(inherited, names.DEFAULT_TEST, variables)
        if name := names.first(fields, names.ASSERTIONS):
            found += assertions.checks_of(fields[name], name, variables)
        found += columns.checks_of(fields, self._vars)
        return tuple(found)

    def _is_abstention(self) -> bool:
        return any(is_on(self._fields.get(name)) for name in names.ABSTENTIONS)

    def _expected(self, asked: Asked, asserted: tuple[Check, ...]) -> tuple[str, ...]:
        """The expected texts; beside promptfoo's assertions, those that are not mere variables."""
        if not (self._is_table and asserted) and (name := names.first(self._fields, names.EXPECTED)):
            return texts_of(self._fields[name], name)
        if asserted:
            return ()
        if self._has_vars and (name := names.first(self._vars, names.EXPECTED)):
            return texts_of(self._vars[name], name)
        return (asked.answered,) if asked.answered else ()

    def _compared(self, expected: tuple[str, ...], offered: tuple[str, ...], *, asserted: bool) -> tuple[Check, ...]:
        """The checks of the expected texts, in the named ways or in the one that their shape suggests."""
        fields = self._fields
        if self._is_abstention():
            return (make_check("abstain", (), "abstain"),)
        name = names.first(fields, names.MATCHES)
        threshold = None
        if not asserted and (limit := names.first(fields, names.THRESHOLDS)):
            threshold = share_of(fields[limit], limit)
        tolerance = (0.0, False)
        if margin := names.first(fields, names.TOLERANCES):
            tolerance = tolerance_of(fields[margin], margin)
            tolerance = tolerance[0], tolerance[1] or is_on(fields.get("relative"))
        if name is None:
            if not expected:
                return ()
            by_shape = choices.checks_of(expected, offered) if offered else default_checks(expected)
            return tuple(_adjusted(check, threshold, tolerance) for check in by_shape)
        ways = fields[name] if isinstance(fields[name], list) else [fields[name]]
        if not isinstance(ways, list) or len(ways) > CHECKS_MOST or not all(isinstance(way, str) for way in ways):
            raise BadCase(CaseRejectionReason.UNKNOWN_MATCH, name)
        checks = []
        for way in ways:
            match = match_of(way, name)
            checks.append(
                make_check(
                    match.kind,
                    expected,
                    names.first(fields, names.EXPECTED) or "expected",
                    threshold=threshold if match.threshold is None else match.threshold,
                    tolerance=tolerance,
                    negate=match.negate != is_on(fields.get("negate")),
                )
            )
        return tuple(checks)

    def _threshold(self, *, asserted: bool) -> float | None:
        """Of the case as a whole: what promptfoo's tests and tables give; elsewhere it is the check's own."""
        for source, wanted in (
            (self._fields, ("__threshold", *(names.THRESHOLDS if asserted else ()))),
            (self._defaults, ("threshold",)),
        ):
            if name := names.first(source, wanted):
                return share_of(source[name], name)
        return None

    def _tags(self) -> tuple[str, ...]:
        metadata = self._fields.get("metadata", self._fields.get("additional_metadata"))
        inner = names.named(metadata) if isinstance(metadata, dict) else {}
        found: dict[str, None] = {}
        for source in (self._fields, inner, columns.metadata_of(self._fields)):
            for name in names.TAGS:
                for text in _tag_texts(source.get(name), name):
                    if tag := " ".join(tidy(text, name, TAG_MOST).split()):
                        found[tag] = None
        if len(found) > TAGS_MOST:
            raise BadCase(CaseRejectionReason.TOO_MANY, "tags")
        return tuple(found)

    def _id(self) -> str:
        name = names.first(self._fields, names.IDS)
        value = self._fields[name] if name else ""
        return bounded(clean(value)) if isinstance(value, str) and len(value) <= _ID_RAW else ""


def expected_size(checks: Sequence[Check]) -> int:
    """How many characters the checks expect, together."""
    return sum(len(value) for check in checks for value in check.values)


def _opts_out(fields: Mapping[str, object]) -> bool:
    """Whether a test of promptfoo says that the default assertions are not for it."""
    options = fields.get("options")
    return isinstance(options, dict) and is_on(names.named(options).get("disable_default_asserts"))


def _adjusted(check: Check, threshold: float | None, tolerance: tuple[float, bool]) -> Check:
    """A check of the default kind with the threshold and the tolerance that the record names."""
    return msgspec.structs.replace(
        check,
        threshold=threshold if check.kind in GRADED else None,
        tolerance=tolerance[0] if check.kind == "numeric" else 0.0,
        relative=tolerance[1] and check.kind == "numeric",
    )


def _tag_texts(value: object, field: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.replace(";", ",").split(",") if len(value) <= 2 * TAGS_MOST * TAG_MOST else [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        if len(value) > 2 * TAGS_MOST:
            raise BadCase(CaseRejectionReason.TOO_MANY, field)
        return value
    raise BadCase(CaseRejectionReason.WRONG_TYPE, field)
