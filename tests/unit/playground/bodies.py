"""Bodies that Discord takes and bodies that it refuses, each with a name."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def button(**more: Any) -> Json:
    return {"type": 2, "style": 1, "label": "Correct", "custom_id": "c", **more}


def row(*children: Json) -> Json:
    return {"type": 1, "components": list(children)}


def rows(*children: Json) -> Json:
    return {"content": "x", "components": [row(*children)]}


def select(**more: Any) -> Json:
    option = {"label": "one", "value": "1"}
    return {"type": 3, "custom_id": "s", "options": [option], **more}


def embed(**more: Any) -> Json:
    return {"embeds": [more]}


GOOD_MESSAGES: dict[str, Json] = {
    "longest content": {"content": "x" * 2000},
    "nobody is pinged": {"content": "@everyone", "allowed_mentions": {"parse": []}},
    "one is pinged": {"content": "<@1>", "allowed_mentions": {"users": ["1"]}},
    "a private one": {"content": "x", "flags": 64},
    "buttons": rows(*(button(custom_id=str(n)) for n in range(5))),
    "a link": rows({"type": 2, "style": 5, "label": "Docs", "url": "https://example.org"}),
    "an emoji": rows({"type": 2, "style": 2, "custom_id": "u", "emoji": {"name": "👍"}}),
    "five rows": {"content": "x", "components": [row(button(custom_id=str(n))) for n in range(5)]},
    "a select": rows(select(placeholder="Which", min_values=0, max_values=1)),
    "a select of users": rows({"type": 5, "custom_id": "u"}),
    "an embed": embed(
        title="t" * 256,
        description="d" * 1000,
        url="https://example.org",
        color=0xFF0000,
        timestamp="2026-01-01T00:00:00Z",
        author={"name": "a"},
        footer={"text": "f"},
        image={"url": "https://example.org/a.png"},
        fields=[{"name": "n", "value": "v", "inline": True}],
    ),
    "ten embeds": {"embeds": [{"title": "x"}] * 10},
    "the second version": {
        "flags": 1 << 15,
        "components": [
            {"type": 10, "content": "# Hello"},
            {"type": 17, "accent_color": 1, "components": [{"type": 10, "content": "x"}, row(button())]},
            {
                "type": 9,
                "components": [{"type": 10, "content": "y"}],
                "accessory": {"type": 11, "media": {"url": "https://example.org/a.png"}},
            },
            {"type": 12, "items": [{"media": {"url": "https://example.org/a.png"}}]},
            {"type": 13, "file": {"url": "attachment://a.txt"}},
            {"type": 14, "divider": True, "spacing": 2},
        ],
    },
    "nulls": {"content": "x", "embeds": None, "components": None, "allowed_mentions": None, "flags": None},
}

BAD_MESSAGES: dict[str, Json] = {
    "content too long": {"content": "x" * 2001},
    "content is a number": {"content": 1},
    "eleven embeds": {"embeds": [{"title": "x"}] * 11},
    "embed title": embed(title="t" * 257),
    "embed description": embed(description="d" * 4097),
    "embed fields": embed(fields=[{"name": "n", "value": "v"}] * 26),
    "embed field without value": embed(fields=[{"name": "n"}]),
    "embed field name": embed(fields=[{"name": "n" * 257, "value": "v"}]),
    "embed field value": embed(fields=[{"name": "n", "value": "v" * 1025}]),
    "embed footer": embed(footer={"text": "f" * 2049}),
    "embed author": embed(author={"name": "a" * 257}),
    "embed color": embed(color=0x1000000),
    "embed is text": {"embeds": ["x"]},
    "embeds are an object": {"embeds": {}},
    "six buttons": rows(*(button(custom_id=str(n)) for n in range(6))),
    "no button": rows(),
    "button without style": rows({"type": 2, "custom_id": "c", "label": "x"}),
    "button of unknown style": rows(button(style=9)),
    "button label": rows(button(label="x" * 81)),
    "custom id too long": rows(button(custom_id="x" * 101)),
    "custom id empty": rows(button(custom_id="")),
    "select without options": rows(select(options=[])),
    "select of 26": rows(select(options=[{"label": str(n), "value": str(n)} for n in range(26)])),
    "select placeholder": rows(select(placeholder="x" * 151)),
    "option label": rows(select(options=[{"label": "x" * 101, "value": "1"}])),
    "option without value": rows(select(options=[{"label": "x"}])),
    "unknown component": {"content": "x", "components": [{"type": 99}]},
    "a text input in a message": rows({"type": 4, "custom_id": "t", "style": 1}),
    "pings of an unknown kind": {"content": "x", "allowed_mentions": {"parse": ["friends"]}},
    "101 pinged": {"content": "x", "allowed_mentions": {"users": [str(n) for n in range(101)]}},
    "the same pinged twice": {"content": "x", "allowed_mentions": {"users": ["1", "1"]}},
    "flags are text": {"content": "x", "flags": "ephemeral"},
    "a text display too long": {"flags": 1 << 15, "components": [{"type": 10, "content": "x" * 4001}]},
    "an empty text display": {"flags": 1 << 15, "components": [{"type": 10, "content": ""}]},
    "41 components": {"flags": 1 << 15, "components": [{"type": 10, "content": "x"}] * 41},
    "alt text": {"content": "x", "attachments": [{"id": "0", "description": "x" * 1025}]},
    "an attachment without id": {"content": "x", "attachments": [{"filename": "a"}]},
}

# What Discord's documentation forbids and its OpenAPI document lets pass.
BAD_MESSAGES_BY_DOCUMENTATION: dict[str, Json] = {
    "embeds of more than 6000 characters": {"embeds": [{"description": "x" * 3001}] * 2},
    "parse and a list of the same": {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
    "the same custom id twice": rows(button(), button()),
    "the same value twice": rows(select(options=[{"label": "a", "value": "1"}] * 2)),
    "a button without custom id": rows({"type": 2, "style": 1, "label": "x"}),
    "a link without url": rows({"type": 2, "style": 5, "label": "x"}),
    "a link with custom id": rows(button(style=5, url="https://example.org")),
    "an empty button": rows({"type": 2, "style": 1, "custom_id": "x"}),
    "a custom id and a url": rows(button(url="https://example.org")),
    "a premium button without product": rows({"type": 2, "style": 6}),
    "a select beside a button": rows(button(), select()),
    "two selects in a row": rows(select(), select(custom_id="t")),
    "more values than options": rows(select(min_values=2, max_values=2)),
    "a minimum above the maximum": rows(select(min_values=3, max_values=2)),
    "six rows": {"content": "x", "components": [row(button(custom_id=str(n))) for n in range(6)]},
    "a flag that only Discord sets": {"content": "x", "flags": 128},
    "text beside the second version": {
        "content": "x",
        "flags": 1 << 15,
        "components": [{"type": 10, "content": "x"}],
    },
    "the second version without its flag": {"components": [{"type": 10, "content": "x"}]},
    "too much text of the second version": {
        "flags": 1 << 15,
        "components": [{"type": 10, "content": "x" * 2001}, {"type": 10, "content": "x" * 2000}],
    },
    "41 components within one": {
        "flags": 1 << 15,
        "components": [{"type": 17, "components": [{"type": 14}] * 40}],
    },
    "a container in a container": {
        "flags": 1 << 15,
        "components": [{"type": 17, "components": [{"type": 17, "components": [{"type": 14}]}]}],
    },
    "a file by link": {"flags": 1 << 15, "components": [{"type": 13, "file": {"url": "https://example.org"}}]},
    "a link with a script": embed(title="x", url="javascript:alert(1)"),
    "a time that is none": embed(title="x", timestamp="yesterday"),
    "a file that is not there": {"content": "x", "attachments": [{"id": "0"}]},
    "an empty field": embed(fields=[{"name": "", "value": "v"}]),
}


def text_input(**more: Any) -> Json:
    return {"type": 4, "custom_id": "t", "style": 2, **more}


def label(component: Json, **more: Any) -> Json:
    return {"type": 18, "label": "Text", "component": component, **more}


def modal(*components: Json, **more: Any) -> Json:
    return {"custom_id": "m", "title": "Teach", "components": list(components), **more}


def upload(**more: Any) -> Json:
    return {"type": 19, "custom_id": "f", **more}


TWO = [{"label": "a", "value": "a"}, {"label": "b", "value": "b"}]
GOOD_MODALS: dict[str, Json] = {
    "a text": modal(label(text_input(min_length=1, max_length=4000, placeholder="…", value="v", required=True))),
    "a described text": modal(label(text_input(), description="d" * 100)),
    "the old way": modal(row(text_input(label="Text"))),
    "five": modal(*(label(text_input(custom_id=str(n))) for n in range(5))),
    "a note": modal({"type": 10, "content": "Read this"}, label(text_input())),
    "a file": modal(label(upload(min_values=0, max_values=10, required=False))),
    "choices": modal(
        label(select()),
        label({"type": 21, "custom_id": "r", "options": TWO}),
        label({"type": 22, "custom_id": "g", "options": TWO, "min_values": 0, "max_values": 2}),
        label({"type": 23, "custom_id": "b", "default": True}),
        label({"type": 5, "custom_id": "u"}),
    ),
}
BAD_MODALS: dict[str, Json] = {
    "title too long": modal(label(text_input()), title="t" * 46),
    "no title": {"custom_id": "m", "components": [label(text_input())]},
    "no custom id": {"title": "t", "components": [label(text_input())]},
    "custom id too long": modal(label(text_input()), custom_id="x" * 101),
    "nothing to fill in": modal(),
    "label too long": modal(label(text_input(), label="x" * 46)),
    "description too long": modal(label(text_input(), description="x" * 101)),
    "label without component": modal({"type": 18, "label": "x"}),
    "a button": modal(row(button())),
    "style": modal(label(text_input(style=3))),
    "text without style": modal(label({"type": 4, "custom_id": "t"})),
    "text too long": modal(label(text_input(value="x" * 4001))),
    "max_length": modal(label(text_input(max_length=4001))),
    "min_length": modal(label(text_input(min_length=-1))),
    "placeholder": modal(label(text_input(placeholder="x" * 101))),
    "eleven files": modal(label(upload(max_values=11))),
    "one choice only": modal(label({"type": 21, "custom_id": "r", "options": TWO[:1]})),
}
BAD_MODALS_BY_DOCUMENTATION: dict[str, Json] = {
    "six components": modal(*(label(text_input(custom_id=str(n))) for n in range(6))),
    "a label within a label": modal(label(text_input(label="x"))),
    "two texts in a row": modal(row(text_input(label="x"), text_input(label="y", custom_id="u"))),
    "the old way without label": modal(row(text_input())),
    "the same custom id twice": modal(label(text_input()), label(text_input())),
    "min_length above max_length": modal(label(text_input(min_length=5, max_length=4))),
    "a value above max_length": modal(label(text_input(value="xxxxx", max_length=4))),
    "a disabled select": modal(label(select(disabled=True))),
    "unknown kind of file": modal(label(upload(file_types=["text/csv"]))),
    "a minimum above the maximum": modal(label(upload(min_values=3, max_values=2))),
}
