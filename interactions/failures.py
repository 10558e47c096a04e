"""What people are told when something goes wrong, and the reference that finds it in the log. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from trainer.i18n import N_

if TYPE_CHECKING:
    from trainer.i18n import Translator

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No letters that look like digits: people read references aloud."""
REFERENCE_LENGTH: Final = 6


class Sorry(Exception):
    """A handler cannot do what was asked, and says why in a sentence for the person; trying again would not help."""

    def __init__(self, sentence: str) -> None:
        super().__init__("told the person why")
        self.sentence = sentence


class HandOn(Exception):
    """A handler has got some way and leaves the rest to another job, as this one is to end: see `Tools.must_stop`.

    Attributes:
        progressed: whether what is stored by now spares the next job some work. Only then its tries are counted anew:
            a job that gets nowhere is given up in the end.
        delay_s: how long to wait before the next job begins.
    """

    def __init__(self, *, progressed: bool, delay_s: float = 0) -> None:
        super().__init__("another job goes on")
        self.progressed = progressed
        self.delay_s = delay_s


def reference(interaction_id: str) -> str:
    """A short name for a failed job, the same whenever it is worked out."""
    number = int.from_bytes(hashlib.blake2b(interaction_id.encode(), digest_size=8).digest(), "big")
    letters = []
    for _ in range(REFERENCE_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(letters)


def given_up(t: Translator, reason: str, ref: str) -> str:
    """The sentence for a job that was given up."""
    match reason:
        case "ModelUnavailable":
            text = t(N_("The language model does not answer, so I cannot either just now. Please try again later."))
        case "StoreUnavailable" | "QueueUnavailable":
            text = t(N_("My memory does not answer just now, so I could not finish that. Please try again later."))
        case "AttachmentUnavailable":
            text = t(N_("I could not download the file from Discord. Please attach it again."))
        case _:
            text = t(
                N_("Something went wrong on my side. It is written down and can be repeated by whoever runs me.")
            )
    return f"{text}\n-# " + t(N_("Reference: {reference}"), reference=ref)


def attachment_sentence(t: Translator, reason: str, limit_mib: int) -> str:
    """Why an attachment was not taken."""
    match reason:
        case "too_large":
            return t(N_("The file is too large: I take at most {limit} MiB."), limit=limit_mib)
        case "expired" | "not_found":
            return t(N_("The file is no longer there. Please attach it again."))
        case "slow":
            return t(N_("The file took too long to download. Please try again."))
        case _:
            return t(N_("I only take files that were attached in Discord itself."))
