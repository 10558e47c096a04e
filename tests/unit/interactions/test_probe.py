"""The probe's key: good for a PING, and for nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from nacl.signing import SigningKey

from interactions import core
from interactions.registry import registry
from tests import interactions_made as made
from trainer.configuration import ConfigurationError, read

if TYPE_CHECKING:
    from trainer.scope import Scope

PROBE = SigningKey(bytes(range(1, 33)))
TIMESTAMP = "1700000000"
PING = b'{"type":1}'


class Nothing:
    """Look-ups of a place where nothing is."""

    def dataset_names(self, scope: Scope) -> list[str]:
        return []

    def trainer_role(self, scope: Scope) -> str | None:
        return ""


DOOR = core.Door(made.KEY.verify_key, registry(), Nothing(), PROBE.verify_key)


def probed(body: bytes, door: core.Door = DOOR) -> core.Response:
    signature = PROBE.sign(TIMESTAMP.encode() + body).signature.hex()
    return core.receive(body, signature, TIMESTAMP, door=door)


def test_its_ping_is_answered() -> None:
    response = probed(PING)
    assert (response.status, json.loads(response.body), response.job, response.kind) == (
        200,
        {"type": 1},
        None,
        "ping",
    )


def other_things() -> list[Any]:
    button: dict[str, Any] = {"custom_id": "privacy:1", "component_type": 2}
    autocomplete = {"name": "ask", "id": "1", "type": 1, "options": []}
    return [
        made.encode(made.slash("hi")),
        made.encode(made.slash("ask", {"prompt": "Where?"})),
        made.encode(made.slash("forget_me")),
        made.encode(made.base(3, button, message=made.message())),
        made.encode(made.base(4, autocomplete)),
        made.encode(made.base(5, {"custom_id": "teach", "components": []})),
        made.encode(made.slash("ask", {"prompt": "Where?"}) | {"type": 1.5}),
        b'{"type":1,"type":2}',
        b'{"type":2,"data":{}}',
        b'{"type":2}',
        b"{}",
        b"[1]",
        b"not JSON",
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
    ]


@pytest.mark.parametrize("body", other_things())
def test_nothing_else_that_it_signs_is_taken(body: bytes) -> None:
    response = probed(body)
    assert (response.status, response.job) == (401, None)
    assert response == core.receive(body, "00" * 64, TIMESTAMP, door=DOOR)


def test_another_key_is_still_refused_and_discord_still_answered() -> None:
    other = SigningKey(bytes(range(2, 34))).sign(TIMESTAMP.encode() + PING).signature.hex()
    assert core.receive(PING, other, TIMESTAMP, door=DOOR).status == 401
    assert core.receive(PING, None, None, door=DOOR).status == 401
    assert core.receive(*made.signed(PING), door=DOOR).status == 200
    assert core.receive(*made.signed(made.encode(made.slash("hi"))), door=DOOR).status == 200


def test_without_the_key_the_probe_is_nobody() -> None:
    assert probed(PING, core.Door(made.KEY.verify_key, registry(), Nothing())).status == 401


def test_its_setting() -> None:
    key = PROBE.verify_key.encode().hex()
    assert read({"TRAINGER_PROBE_PUBLIC_KEY": key}, {}).probe_public_key == key
    assert read({}, {}).probe_public_key == ""
    for wrong in ("secret", key[:-2], key + "00"):
        with pytest.raises(ConfigurationError, match="TRAINGER_PROBE_PUBLIC_KEY") as caught:
            read({"TRAINGER_PROBE_PUBLIC_KEY": wrong}, {})
        assert wrong not in str(caught.value)


def test_who_gets_the_metrics_is_a_setting() -> None:
    assert read({}, {}).metrics == "local"
    assert read({"TRAINGER_METRICS": "public"}, {}).metrics == "public"
    with pytest.raises(ConfigurationError, match="TRAINGER_METRICS"):
        read({"TRAINGER_METRICS": "everyone"}, {})
