"""Checking requests to Discord, and answers of the playground, against Discord's official OpenAPI document.

The document is not part of the project. It is looked for where `DISCORD_OPENAPI` says, or else beside the repository.
"""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playground.http_front import Recorded

API = "/api/v10"
_BASE = "urn:discord"
_REPOSITORY = Path(__file__).resolve().parent.parent
# What Discord's documentation has and its OpenAPI document does not (yet), or has differently.
_UNKNOWN_TO_DOCUMENT = frozenset({"file_types", "nsfw"})
_TEXT_FOR_INTEGER = "default_member_permissions"


class NotAsDocumented(AssertionError):
    """A request or an answer that the document does not allow."""


def openapi_path() -> Path:
    """Where the document is expected."""
    named = os.environ.get("DISCORD_OPENAPI")
    return Path(named) if named else _REPOSITORY.parent / "shared" / "specs" / "discord-openapi.json"


class OpenApi:
    """The document, with request objects closed: it lets unknown keys pass, which hides mistyped ones."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._open = document
        closed = copy.deepcopy(dict(document))
        for schema in closed["components"]["schemas"].values():
            if "properties" in schema and "additionalProperties" not in schema:
                schema["additionalProperties"] = False
        self._closed = closed
        self._validators: dict[tuple[str, str], Draft202012Validator] = {}
        self._routes = [(_pattern(template), template) for template in document["paths"]]
        # A fixed name comes before a parameter: `@original` before `{message_id}`.
        self._routes.sort(key=lambda route: route[1].count("{"))

    @classmethod
    def load(cls, path: Path) -> OpenApi:
        """Read the document."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def operation(self, method: str, path: str) -> tuple[str, Mapping[str, Any]]:
        """The template and the description of what a request asks for. Raises `NotAsDocumented`."""
        for pattern, template in self._routes:
            operations = self._open["paths"][template]
            if pattern.fullmatch(path) and method.lower() in operations:
                return template, operations[method.lower()]
        raise NotAsDocumented(f"there is no {method} {path}")

    def operation_parameters(self, template: str) -> list[Mapping[str, Any]]:
        """The parameters that all operations of a path share."""
        return list(self._open["paths"][template].get("parameters", ()))

    def request_errors(self, method: str, path: str, body: object) -> str | None:
        """What is wrong with the JSON of a request; None if nothing is."""
        template, operation = self.operation(method, path)
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None if body is None else f"{method} {path} takes no body"
        if body is None:
            return "the body is missing" if operation["requestBody"].get("required") else None
        pointer = _pointer("paths", template, method.lower(), "requestBody", "content", "application/json", "schema")
        return self._errors("closed", pointer, _as_documented(body))

    def schema_errors(self, name: str, body: object) -> str | None:
        """What is wrong with JSON that should be of a named schema; None if nothing is."""
        return self._errors("closed", _pointer("components", "schemas", name), _as_documented(body))

    def answer_errors(self, method: str, path: str, status: int, body: object) -> str | None:
        """What is wrong with the JSON of an answer; None if nothing is."""
        template, operation = self.operation(method, path)
        responses = operation["responses"]
        key = next((one for one in (str(status), f"{status // 100}XX") if one in responses), None)
        if key is None:
            return f"{method} {template} does not answer {status}"
        response = responses[key]
        if "$ref" in response:
            name = response["$ref"].rsplit("/", 1)[-1]
            pointer = _pointer("components", "responses", name, "content", "application/json", "schema")
        elif "application/json" in response.get("content", {}):
            route = ("paths", template, method.lower(), "responses", key)
            pointer = _pointer(*route, "content", "application/json", "schema")
        else:
            return None if body is None else f"{status} has no body"
        return self._errors("open", pointer, body)

    def _errors(self, which: str, pointer: str, instance: object) -> str | None:
        key = (which, pointer)
        if key not in self._validators:
            contents = self._closed if which == "closed" else dict(self._open)
            resource = DRAFT202012.create_resource(contents)
            registry: Registry[Any] = Registry().with_resource(_BASE, resource)
            self._validators[key] = Draft202012Validator({"$ref": f"{_BASE}#{pointer}"}, registry=registry)
        error = best_match(self._validators[key].iter_errors(instance))
        return None if error is None else f"{error.json_path}: {error.message[:500]}"


def validate_request(spec: OpenApi, request: Recorded) -> None:
    """Raise `NotAsDocumented` unless a request to the playground is one that Discord documents."""
    path = request.path.removeprefix(API)
    template, operation = spec.operation(request.method, path)
    documented = [*spec.operation_parameters(template), *operation.get("parameters", ())]
    known = {one["name"] for one in documented if one["in"] == "query"}
    if unknown := request.query.keys() - known:
        raise NotAsDocumented(f"{request.method} {template} has no parameter {', '.join(sorted(unknown))}")
    if problem := spec.request_errors(request.method, path, request.json):
        raise NotAsDocumented(f"{request.method} {template}: {problem}")


def validate_answer(spec: OpenApi, request: Recorded) -> None:
    """Raise `NotAsDocumented` unless the playground's answer to a request is one that Discord documents."""
    path = request.path.removeprefix(API)
    body = json.loads(request.answer) if request.answer else None
    if request.status is None:
        raise NotAsDocumented(f"{request.method} {path} was not answered")
    if problem := spec.answer_errors(request.method, path, request.status, body):
        raise NotAsDocumented(f"{request.method} {path} -> {request.status}: {problem}")


def validate_all(spec: OpenApi, requests: Iterable[Recorded]) -> int:
    """Validate every request to Discord's API among those recorded, and every answer that nothing was done to.

    Returns how many there were, so that a test can tell that there were some. Attachments are not part of the API.
    """
    checked = 0
    for request in requests:
        if request.path.startswith(API):
            validate_request(spec, request)
            if not request.faulty:
                validate_answer(spec, request)
            checked += 1
    return checked


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))


def _pointer(*names: str) -> str:
    """A JSON pointer in a URI's fragment."""
    escaped = (name.replace("~", "~0").replace("/", "~1") for name in names)
    return "".join(f"/{quote(name, safe='~')}" for name in escaped)


def _as_documented(value: object) -> object:
    """JSON without the differences that are known between Discord's documentation and the document."""
    if isinstance(value, list):
        return [_as_documented(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _as_documented(one) for name, one in value.items() if name not in _UNKNOWN_TO_DOCUMENT}
    permissions = kept.get(_TEXT_FOR_INTEGER)
    if isinstance(permissions, str) and permissions.isdigit():
        kept[_TEXT_FOR_INTEGER] = int(permissions)
    return kept
