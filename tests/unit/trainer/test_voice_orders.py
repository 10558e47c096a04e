"""Orders to the sidecar: what goes in comes out, and what is none is told apart."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.voice_orders import (
    BadOrder,
    Consent,
    Join,
    Leave,
    Order,
    Say,
    SettingsChanged,
    decode,
    encode,
    expired,
    shard_of,
)

ASKED: dict[str, Any] = {
    "id": "1",
    "application_id": "2",
    "token": "aW50-x_y.z~",
    "guild_id": "42",
    "user_id": "5",
    "channel_id": "6",
    "locale": "ru",
    "at": 1.0,
    "expires": 61.0,
}
SAY = Say(id="1", guild_id="42", user_id="5", text="Hello \ufffe\uffff\x00 мир", language="", at=1.0, expires=31.0)
ORDERS: tuple[Order, ...] = (
    Join(**ASKED),
    Leave(**ASKED),
    Consent(guild_id="42", user_id="5", agreed=False, at=1.0, expires=2.0),
    SAY,
    SettingsChanged(guild_id="42", expires=2.0),
)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_what_goes_in_comes_out(order: Order) -> None:
    body = encode(order)
    assert decode(body) == order
    assert json.loads(body)["v"] == 1
    assert not any(char < 0x20 for char in body)
    assert not {"\ufffe", "\uffff"} & set(body.decode())


def test_the_kinds_have_their_names() -> None:
    kinds = [json.loads(encode(order))["order"]["kind"] for order in ORDERS]
    assert kinds == ["join", "leave", "consent", "say", "settings"]


def changed(**more: object) -> bytes:
    return json.dumps({"v": 1, "order": json.loads(encode(ORDERS[0]))["order"] | more}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"v":1}',
        b'{"v":2,"order":{"kind":"settings","guild_id":"1","expires":1}}',
        b'{"order":{"kind":"settings","guild_id":"1","expires":1}}',
        changed(kind="dance"),
        changed(kind=None),
        changed(guild_id="../../etc"),
        changed(guild_id="1\n"),
        changed(guild_id=42),
        changed(id=""),
        changed(id="1" * 21),
        changed(token="a/b"),
        changed(token=""),
        changed(expires="soon"),
        changed(at=None),
    ],
)
def test_what_is_no_order_is_told_apart(body: bytes) -> None:
    with pytest.raises(BadOrder) as caught:
        decode(body)
    assert caught.value.__cause__ is None


@given(st.binary(max_size=300))
def test_no_bytes_lead_to_another_error(body: bytes) -> None:
    with contextlib.suppress(BadOrder):
        decode(body)


def test_an_order_is_of_no_use_from_a_moment_on() -> None:
    assert not expired(SAY, 30.9)
    assert expired(SAY, 31.0)


def test_shards_are_those_of_discord() -> None:
    assert shard_of("197038439483310086", 1) == 0
    assert shard_of("197038439483310086", 16) == (197038439483310086 >> 22) % 16
    assert {shard_of(str(n << 22), 3) for n in range(9)} == {0, 1, 2}
