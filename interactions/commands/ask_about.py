"""“Ask about this”: a question about somebody's message, with its text and its text files as what it is about.

Discord sends the message with the menu, and not again with the form. So the form carries it: its text, and the links
to its files, stand in fields that the person sees and may change. Nothing of it is stored (decision 7).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from interactions.commands.ask import PROMPT_MOST, Asked, answer
from interactions.definitions import Handler, MessageCommand
from interactions.outbound import Defer, Modal, Reply, Say, TextInput
from interactions.payloads import Attachment
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import Message, ModalData

FIELD_MOST: Final = 4000
"""Characters of a form's field: Discord's limit."""
FILES_MOST: Final = 3
FILE_MOST: Final = 256 * 1024
"""Bytes of a file that is read."""
READ_MOST: Final = 4_000
"""Characters of one file that are looked at."""
TEXT_TYPES: Final = re.compile(r"text/|application/(?:json|x-ndjson|jsonl|xml|yaml|x-yaml)\b")
TEXT_NAMES: Final = re.compile(r".+\.(?:txt|md|csv|tsv|jsonl?|log|xml|ya?ml|ini|toml|html?|py|js)", re.IGNORECASE)
_LINK: Final = re.compile(r"https?://[^/\s]+/attachments/[0-9]{1,20}/([0-9]{1,20})/([^/?\s]+)\S*")
_QUESTION: Final = N_("What does this message mean?")


def open_form(call: AckCall[Message]) -> Modal | Say:
    """Ask for the question; the message goes along."""
    message, t = call.given, call.t
    text = message.content.strip()[:FIELD_MOST]
    links = "\n".join(file.url for file in _readable(message.attachments))
    if not text and not links:
        told = t(N_("There is no text in that message, so there is nothing that I could read."))
        return Say(Reply(told), ephemeral=True)
    question = TextInput(
        "question",
        t(N_("What do you want to know?")),
        placeholder=t(_QUESTION),
        paragraph=False,
        required=False,
        max_length=PROMPT_MOST,
    )
    fields = [question]
    if text:
        fields.append(TextInput("message", t(N_("The message")), value=text, required=False))
    if links and len(links) <= FIELD_MOST:
        told = t(N_("I read these, too. Take out what I should not read."))
        fields.append(TextInput("files", t(N_("Its files")), description=told, value=links, required=False))
    return Modal(f"about:{message.id}", t(N_("Ask about this")), tuple(fields))


def acknowledge_form(call: AckCall[ModalData]) -> Defer | Say:
    """A form with nothing in it needs no work."""
    if not any(call.given.text(name).strip() for name in ("question", "message", "files")):
        return Say(Reply(call.t(N_("There was nothing in the form, so there is nothing to answer."))), ephemeral=True)
    return Defer()


def work_form(call: WorkCall[ModalData]) -> Reply:
    """Answer about what stands in the form."""
    question = call.given.text("question").strip() or call.t(_QUESTION)
    texts = [call.given.text("message").strip()]
    texts += [_read(call, file) for file in linked(call.given.text("files"))]
    message_id = call.subject if call.subject.isdecimal() else ""
    message = "\n\n".join(filter(None, texts))
    return answer(call, Asked(question, private=False, message=message, message_id=message_id))


def linked(text: str) -> list[Attachment]:
    """The attachments to which the links in a field lead, the first few; whoever fetches them checks the address."""
    found = []
    for link in text.split():
        match = _LINK.fullmatch(link)
        if match is not None:
            found.append(Attachment(id=match[1], filename=unquote(match[2]), size=0, url=link))
    return found[:FILES_MOST]


def _readable(attachments: list[Attachment]) -> list[Attachment]:
    """The text files among a message's attachments, the first few."""
    found = [file for file in attachments if file.size <= FILE_MOST and _is_text(file)]
    return found[:FILES_MOST]


def _is_text(file: Attachment) -> bool:
    return bool(TEXT_TYPES.match(file.content_type or "") or TEXT_NAMES.fullmatch(file.filename))


def _read(call: WorkCall[ModalData], file: Attachment) -> str:
    """The beginning of a text file; nothing of it is kept."""
    # Telling encodings apart needs libraries that acknowledging does not.
    from trainer.importers.decoding import find_encoding, open_text  # noqa: PLC0415

    with call.tools.fetch(file, keep=False) as path:
        if path.stat().st_size > FILE_MOST:
            return ""
        with open_text(path, find_encoding(path)) as stream:
            text = stream.read(READ_MOST)
    return "" if "\0" in text else text.strip()


COMMANDS = (MessageCommand(name="Ask about this", handler=Handler(open_form)),)
MODALS = {"about": Handler(acknowledge_form, work_form)}
