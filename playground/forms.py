"""Reading the JSON of a request field by field, noting everything that breaks a rule, as Discord reports it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from playground.errors import invalid_form
from playground.snowflakes import is_snowflake

Path = tuple[str, ...]


class FormErrors:
    """What is wrong with a request, by field."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, code: str, message: str) -> None:
        """Note one thing that is wrong."""
        self._found.append((path, code, message))

    def tree(self) -> dict[str, Any]:
        """The `errors` member of Discord's body."""
        root: dict[str, Any] = {}
        for path, code, message in self._found:
            node = root
            for name in path:
                node = node.setdefault(name, {})
            node.setdefault("_errors", []).append({"code": code, "message": message})
        return root

    def raise_if_any(self) -> None:
        """Raise `DiscordError` 50035 if something was noted."""
        if self._found:
            raise invalid_form(self.tree())


class Fields:
    """One JSON object of a request. A null counts as absent, as Discord has it for nearly every field.

    Each reader returns the value, or None when it is absent or was noted as wrong.
    """

    def __init__(self, value: Mapping[str, Any], errors: FormErrors, path: Path = ()) -> None:
        self.value = value
        self.errors = errors
        self.path = path

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.value.get(name) is not None

    def fail(self, name: str, code: str, message: str) -> None:
        """Note that a field is wrong; an empty name means the object itself."""
        self.errors.add((*self.path, name) if name else self.path, code, message)

    def _take(self, name: str, *, required: bool) -> Any:  # noqa: ANN401 - JSON can be anything
        value = self.value.get(name)
        if value is None and required:
            self.fail(name, "BASE_TYPE_REQUIRED", "This field is required")
        return value

    def _long_enough(self, name: str, length: int, low: int, high: int) -> bool:
        if low <= length <= high:
            return True
        if low:
            self.fail(name, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        else:
            self.fail(name, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
        return False

    def string(self, name: str, *, low: int = 0, high: int, required: bool = False) -> str | None:
        """Text of `low` to `high` characters."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fail(name, "STRING_TYPE_CONVERT", "Could not interpret the value as string.")
            return None
        return value if self._long_enough(name, len(value), low, high) else None

    def integer(self, name: str, *, low: int, high: int, required: bool = False) -> int | None:
        """A whole number from `low` to `high`."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(name, "NUMBER_TYPE_COERCE", "Value is not int.")
            return None
        if not low <= value <= high:
            self.fail(name, "NUMBER_TYPE_RANGE", f"int value should be between {low} and {high}.")
            return None
        return value

    def number(self, name: str, *, low: float, high: float, required: bool = False) -> float | None:
        """A number from `low` to `high`."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(name, "NUMBER_TYPE_COERCE", "Value is not float.")
            return None
        if not low <= value <= high:
            self.fail(name, "NUMBER_TYPE_RANGE", f"float value should be between {low} and {high}.")
            return None
        return value

    def boolean(self, name: str) -> bool | None:
        """True or false."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            self.fail(name, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
            return None
        return value

    def choice(self, name: str, choices: Collection[int | str], *, required: bool = False) -> int | str | None:
        """One of a few values."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | str) or value not in choices:
            allowed = ", ".join(str(choice) for choice in choices)
            self.fail(name, "BASE_TYPE_CHOICES", f"Value must be one of {{{allowed}}}.")
            return None
        return value

    def snowflake(self, name: str, *, required: bool = False) -> str | None:
        """An id."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not is_snowflake(value):
            self.fail(name, "NUMBER_TYPE_COERCE", "Value is not snowflake.")
            return None
        return str(value)

    def items(self, name: str, *, low: int = 0, high: int, required: bool = False) -> list[Any] | None:
        """A list of `low` to `high` things."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fail(name, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return None
        return value if self._long_enough(name, len(value), low, high) else None

    def objects(self, name: str, *, low: int = 0, high: int, required: bool = False) -> list[Fields]:
        """A list of objects; those that are none are noted and left out."""
        found = []
        for index, value in enumerate(self.items(name, low=low, high=high, required=required) or ()):
            path = (*self.path, name, str(index))
            if isinstance(value, Mapping):
                found.append(Fields(value, self.errors, path))
            else:
                self.errors.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return found

    def object(self, name: str, *, required: bool = False) -> Fields | None:
        """An object within this one."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fail(name, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            return None
        return Fields(value, self.errors, (*self.path, name))


def form(body: object, errors: FormErrors, path: Path = ()) -> Fields:
    """The fields of a whole request. Raises `DiscordError` if it is not an object."""
    if not isinstance(body, Mapping):
        errors.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        raise invalid_form(errors.tree())
    return Fields(body, errors, path)
