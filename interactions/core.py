"""What becomes of a request that Discord POSTs to us. Sans-I/O: knows no web framework, no queue and no clock.

`receive` verifies, parses and decides. Where the answer is a deferral, the response carries the job that the caller
must have put into the queue before it sends the response; if the queue does not take it, `sorry` answers instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from discord_interactions import InteractionResponseType
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from interactions.actor import actor_of
from interactions.call import AckCall
from interactions.definitions import BadOptions, fields_of
from interactions.dispatch import UnknownCommand, find
from interactions.failures import given_up, reference
from interactions.jobs import pack
from interactions.outbound import Defer, DeferUpdate, Reply, Say, Suggest, acknowledgement_json
from interactions.payloads import (
    DECODER,
    AutocompleteInteraction,
    CommandInteraction,
    ComponentInteraction,
    ModalInteraction,
    Ping,
)
from trainer import logs
from trainer.i18n import N_, translator

if TYPE_CHECKING:
    from interactions.call import Quick
    from interactions.outbound import Acknowledgement, Json
    from interactions.payloads import AnyInteraction
    from interactions.registry import Registry
    from trainer.scope import Actor

MAX_BODY: Final = 1024 * 1024
"""Bytes. Discord's largest payloads (a modal's texts, a message command's message) stay far below."""
SIGNATURE_HEX: Final = 128
TIMESTAMP_MOST: Final = 32
JSON_TYPE: Final = "application/json"
KINDS: Final = {
    CommandInteraction: "command",
    ComponentInteraction: "component",
    AutocompleteInteraction: "autocomplete",
    ModalInteraction: "modal",
}
"""What they are called where requests are counted."""


class Response(msgspec.Struct, frozen=True):
    """An HTTP response, and the job to enqueue before it is sent."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    job: bytes | None = None
    interaction_id: str = ""
    """For the log."""
    name: str = ""
    """What was used, for the log: a command's name or the first part of a custom id."""
    locale: str = "en-US"
    failure: dict[str, object] = {}
    """What went wrong inside, for the log."""
    kind: str = "unknown"
    """Of request, for those who count: `ping`, `command`, `component`, `autocomplete` or `modal`."""


class Door(NamedTuple):
    """What the door needs to know."""

    public_key: VerifyKey
    registry: Registry
    quick: Quick
    probe_key: VerifyKey | None = None
    """Of whoever runs us, who wants to see a signed PING answered: good for that, and for nothing else."""


def public_key(hexadecimal: str) -> VerifyKey:
    """The application's public key, as Discord's developer portal shows it. Raises ValueError."""
    return VerifyKey(bytes.fromhex(hexadecimal.strip()))


def receive(body: bytes, signature: str | None, timestamp: str | None, *, door: Door) -> Response:
    """Decide about one request.

    Args:
        body: the raw body.
        signature: the header `X-Signature-Ed25519`, or None where it is missing.
        timestamp: the header `X-Signature-Timestamp`, or None where it is missing.
        door: the key to check with, and the commands.

    Nothing is parsed before the signature is known to be Discord's, or the probe's: 401 otherwise. What the probe
    signed is a PING, or refused like a wrong signature. Malformed payloads get a 4xx with a sentence; no input leads
    to an exception.
    """
    if len(body) > MAX_BODY:
        return _refuse(413, f"The body is larger than {MAX_BODY} bytes.")
    if not genuine(body, signature, timestamp, door.public_key):
        if _probes(body, signature, timestamp, door.probe_key):
            return _pong()
        return _refuse(401, "The request signature is missing or wrong.")
    try:
        # What is skipped is not decoded, and a queue takes no invalid text.
        body.decode()
        interaction = DECODER.decode(body)
    except msgspec.ValidationError as error:
        return _refuse(400, f"The interaction is malformed: {_place(error)}.")
    except (ValueError, RecursionError):
        return _refuse(400, "The body is not valid JSON.")
    if isinstance(interaction, Ping):
        return _pong()
    return _decide(body, interaction, door)


def sorry(response: Response, problem: str) -> Response:
    """What to answer when the job could not be enqueued: an ephemeral sentence, so that nobody waits in vain.

    `problem` is `unavailable` or `too_large`.
    """
    t = translator(response.locale)
    if problem == "too_large":
        text = t(N_("That is too much for one command. Please send it as a file with /train file, or in parts."))
    else:
        text = t(N_("I could not take that in just now. Please try again in a minute."))
    told = acknowledgement_json(Say(Reply(text), ephemeral=True))
    return msgspec.structs.replace(response, body=msgspec.json.encode(told), job=None)


def genuine(body: bytes, signature: str | None, timestamp: str | None, key: VerifyKey) -> bool:
    """Ed25519 over timestamp and raw body, as Discord's security documentation defines it."""
    if signature is None or timestamp is None:
        return False
    if len(signature) != SIGNATURE_HEX or not 0 < len(timestamp) <= TIMESTAMP_MOST:
        return False
    try:
        key.verify(timestamp.encode() + body, bytes.fromhex(signature))
    except (CryptoError, ValueError):
        return False
    return True


def _probes(body: bytes, signature: str | None, timestamp: str | None, key: VerifyKey | None) -> bool:
    """Whether it is a PING that the probe signed."""
    if key is None or not genuine(body, signature, timestamp, key):
        return False
    try:
        return isinstance(DECODER.decode(body), Ping)
    except (ValueError, RecursionError):
        return False


def _pong() -> Response:
    return Response(200, msgspec.json.encode({"type": InteractionResponseType.PONG}), kind="ping")


def _decide(body: bytes, interaction: AnyInteraction, door: Door) -> Response:
    t = translator(interaction.locale)
    actor = actor_of(interaction)
    if actor is None:
        return _refuse(400, "The interaction names no user.")
    if isinstance(interaction, AutocompleteInteraction):
        try:
            suggested = _suggest(interaction, actor, door)
        except Exception as error:  # noqa: BLE001 - as below
            failed = _answer(interaction, Suggest(()), name=interaction.data.name)
            return msgspec.structs.replace(failed, failure=logs.places(error))
        return _answer(interaction, suggested, name=interaction.data.name)
    try:
        target = find(door.registry, interaction)
    except UnknownCommand:
        text = t(N_("I don't know that command any more. It may take Discord a few minutes to show the new ones."))
        return _answer(interaction, Say(Reply(text), ephemeral=True), name="unknown")
    except BadOptions:
        text = t(N_("That command looks different by now. Please restart Discord and try again."))
        return _answer(interaction, Say(Reply(text), ephemeral=True), name="outdated")
    call = AckCall(interaction, actor, t, target.given, door.quick, target.subject)
    try:
        decided = target.handler.acknowledge(call)
    except Exception as error:  # noqa: BLE001 - a mistake of ours must reach the person as a sentence
        return _failed(interaction, target.name, error)
    job = pack(body) if isinstance(decided, Defer | DeferUpdate) else None
    return _answer(interaction, decided, name=target.name, job=job)


def _suggest(interaction: AutocompleteInteraction, actor: Actor, door: Door) -> Suggest:
    """What the focused option suggests; an empty list lets the person type on."""
    command = door.registry.slash.get(interaction.data.name)
    typed = next((option for option in interaction.data.options if option.focused), None)
    if command is None or typed is None:
        return Suggest(())
    suggest = next(
        (field.autocomplete for name, _, field, _ in fields_of(command.options) if name == typed.name), None
    )
    if suggest is None:
        return Suggest(())
    call: AckCall[None] = AckCall(interaction, actor, translator(interaction.locale), None, door.quick)
    return Suggest(suggest(call, str(typed.value or "")))


def _failed(interaction: AnyInteraction, name: str, error: Exception) -> Response:
    ref = reference(interaction.id)
    told = Say(Reply(given_up(translator(interaction.locale), "", ref)), ephemeral=True)
    return msgspec.structs.replace(_answer(interaction, told, name=name), failure={"ref": ref, **logs.places(error)})


def _answer(
    interaction: AnyInteraction, decided: Acknowledgement, *, name: str, job: bytes | None = None
) -> Response:
    body = msgspec.json.encode(acknowledgement_json(decided))
    return Response(
        200,
        body,
        job=job,
        interaction_id=interaction.id,
        name=name,
        locale=interaction.locale,
        kind=KINDS[type(interaction)],
    )


def _refuse(status: int, sentence: str) -> Response:
    refusal: Json = {"error": sentence}
    return Response(status, msgspec.json.encode(refusal))


def _place(error: msgspec.ValidationError) -> str:
    """Where the payload is malformed, without repeating what stands there."""
    message = str(error)
    return message.rsplit(" - at ", maxsplit=1)[-1] if " - at " in message else message
