"""How everything lies in the store: names and keys. Pure.

    g42/settings.json                                  small and mutable: the selected dataset
    g42/selections/<interaction>.json                  one choice of a dataset; never changed
    g42/names/<name>                                   says that there is a dataset of this name: one listing has all
    g42/instruction.json                               small and mutable: the instruction in force
    g42/instructions/<interaction>.json                an instruction that is or was in force; never changed
    g42/drafts/<interaction>.json                      an instruction that somebody has not decided about yet
    g42/datasets/<name>/batches/<interaction>.json     what one /train brought; never changed
    g42/datasets/<name>/chunks/<interaction>/…         its examples, when they are too many for that record
    g42/datasets/<name>/corrections/<interaction>.json one /correct; never changed
    g42/datasets/<name>/verdicts/<interaction>.json    what a manager decided about a proposed correction
    g42/datasets/<name>/undone/<interaction>.json      who took a correction back
    g42/datasets/<name>/histories/<question>/<id>      empty; finds all corrections of one question
    g42/datasets/<name>/removed/<interaction>          empty; the batch or correction counts no more
    g42/datasets/<name>/journal/<ms>-<kind>-<id>       empty; says in which order the above became valid
    g42/originals/<attachment>                         what was uploaded, as it came
    g42/answers/<interaction>.json                     an answer that was given
    g42/messages/<message>.json                        which answer a message shows
    g42/votes/<answer>/<person>.json                   small and mutable: what one person thinks of an answer
    g42/exports/<name>                                 a file that was made for somebody
    g42/outcomes/<interaction>.…                       the reply to a command, and how far it has been shown
    g42/pins/<interaction>.json                        which dataset a command is about, once it has been decided
    g42/unseen/<person>/<interaction>.json             what the person could not be shown
    g42/preferences/<person>.json                      small and mutable: what the person allows
    g42/requests/<author>/<interaction>.json           who wants to teach a message of theirs, and until when
    g42/consents/<author>/<interaction>.json           what the author decided about that
    g42/uploads/<person>/<attachment>.json             who uploaded an original, and under which name
    g42/personal/<person>/<interaction>.zip            what /export_me made; gone after a day
    g42/forgotten/<person>.json                        when the person asked to be forgotten
    g42/evaluations/<run>/run.json                     a run of /test; never changed, but for the name of its file
    g42/evaluations/<run>/cases.jsonl                  its cases; without them, nothing more is written of the run
    g42/evaluations/<run>/results/<shard>.jsonl        what came of ten cases; the first write stands
    g42/evaluations/<run>/results-baseline/<shard>.jsonl  the same as if nothing had been taught
    g42/evaluations/<run>/authors/<person>.<words>     empty; whose words are in it, since which interaction
    g42/evaluations/<run>/cancelled.json               who ended it early
    g42/evaluations/<run>/summary.json                 what it came to, in numbers, once it is over
    g42/evaluations/index/<dataset>/<run>              empty; finds the runs of a dataset
    g42/evaluations/active.json                        small and mutable: the run that is being worked on
    g42/cases/<dataset>/<case>.json                    a case that people added to those of a dataset; never changed
    g42/cases/<dataset>/<case>.removed.json            who took it out again
    g42/reports/<run>-<name>                           a file that was made of a run
    g42/proposals/<dataset>/<interaction>              empty; a correction that waits for a decision
    g42/proposals/searched.json                        when those were looked for that have no such mark
    g42/bulks/<interaction>.json                       the proposals that somebody decided about together
    g42/gates/<interaction>.json                       how a change was judged before it was to count
    g42/gates/<interaction>.decision.json              who brought it into force all the same, and why, or left it
    g42/gates/tested/<digest>.json                     small and mutable: the last run that tested the very same
    g42/voice/claims/<interaction>.json                who answers a /join or /leave: a sidecar, or the worker
    g42/voice/claims/<interaction>.done.json           says that a sidecar did what it was told
    g42/voice/call.json                                small and mutable: the voice channel where the bot is
    g42/voice/notice.json                              small and mutable: the message that says that it listens there
    g42/voice/turns/<answer>                           empty; the answer is to a question that was spoken there
    retention/<scope>.json                             when a person uninstalled the bot
    identity.json                                      names the store itself

Every key carries the interaction's id, so a second delivery of a job writes the same objects.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal

from trainer.keys import MAX_SEGMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.scope import Scope

DEFAULT_DATASET: Final = "default"
NAME_MOST: Final = 48
"""Characters of a dataset's name: a button's custom id (100 characters) must have room for it."""

JournalKind = Literal["batch", "correction", "removal"]
"""A batch or a correction counts from here on, or counts no more."""
KINDS: Final[Mapping[str, JournalKind]] = {"batch": "batch", "correction": "correction", "removal": "removal"}
_JOURNAL_ENTRY: Final = re.compile(r"([0-9]{13})-(batch|correction|removal)-([0-9]{1,20})")


class BadName(Exception):
    """A dataset cannot have this name."""


def dataset_name(wanted: str) -> str:
    """The name under which a dataset is kept. Raises `BadName`.

    Letters, their marks and digits of any script, `-` and `_`; spaces become `-`, and case does not count.
    """
    name = re.sub(r"\s+", "-", unicodedata.normalize("NFKC", wanted).strip().casefold())
    name = unicodedata.normalize("NFC", name)
    fit = all(char in "-_" or unicodedata.category(char)[0] in "LMN" for char in name) and name[:1] not in {"", "-"}
    if not fit or len(name) > NAME_MOST or len(name.encode()) > MAX_SEGMENT_BYTES:
        raise BadName
    return name


class DatasetKeys:
    """The keys of one dataset."""

    def __init__(self, scope: Scope, dataset: str) -> None:
        self.scope = scope
        self.dataset = dataset
        self.root = f"{scope.prefix}/datasets/{dataset}/"
        self.journal = f"{self.root}journal/"

    def batch(self, interaction_id: str) -> str:
        """The record of one /train."""
        return f"{self.root}batches/{interaction_id}.json"

    def chunk(self, interaction_id: str, attempt: str, number: int) -> str:
        """A part of a large batch; `attempt` keeps two workers on the same job apart."""
        return f"{self.root}chunks/{interaction_id}/{attempt}-{number:05}.jsonl"

    def rejections(self, interaction_id: str, attempt: str) -> str:
        """The list of what was rejected."""
        return f"{self.root}chunks/{interaction_id}/{attempt}-rejections.jsonl"

    def correction(self, interaction_id: str) -> str:
        """The record of one /correct."""
        return f"{self.root}corrections/{interaction_id}.json"

    def verdict(self, interaction_id: str) -> str:
        """What a manager decided about a proposed correction."""
        return f"{self.root}verdicts/{interaction_id}.json"

    def undone(self, interaction_id: str) -> str:
        """Who took a correction back."""
        return f"{self.root}undone/{interaction_id}.json"

    def histories(self, question: str) -> str:
        """What all corrections of a question lie under; `question` names it in hexadecimal digits."""
        return f"{self.root}histories/{question}/"

    def removed(self, interaction_id: str) -> str:
        """Says for good that a batch or a correction counts no more, whatever the journal says later."""
        return f"{self.root}removed/{interaction_id}"

    def entry(self, milliseconds: int, kind: JournalKind, interaction_id: str) -> str:
        """A journal entry: from this moment on, the record counts."""
        return f"{self.journal}{milliseconds:013}-{kind}-{interaction_id}"

    def since(self, milliseconds: int) -> str:
        """The key after which entries from this moment on are listed."""
        return f"{self.journal}{max(0, milliseconds):013}"


def parse_entry(name: str) -> tuple[int, JournalKind, str] | None:
    """A journal entry's moment in milliseconds, kind and interaction id; None for anything else."""
    match = _JOURNAL_ENTRY.fullmatch(name)
    if match is None:
        return None
    return int(match[1]), KINDS[match[2]], match[3]


def answer_key(scope: Scope, answer_id: str) -> str:
    """An answer that was given."""
    return f"{scope.prefix}/answers/{answer_id}.json"


def pin_key(scope: Scope, interaction_id: str) -> str:
    """Which dataset a command is about."""
    return f"{scope.prefix}/pins/{interaction_id}.json"


def message_key(scope: Scope, message_id: str) -> str:
    """Which answer a message shows."""
    return f"{scope.prefix}/messages/{message_id}.json"


def votes_prefix(scope: Scope) -> str:
    """What all votes lie under, in order of the answers."""
    return f"{scope.prefix}/votes/"


def vote_key(scope: Scope, answer_id: str, user_id: str) -> str:
    """What one person thinks of an answer."""
    return f"{votes_prefix(scope)}{answer_id}/{user_id}.json"


def export_key(scope: Scope, name: str) -> str:
    """A file that was made for somebody."""
    return f"{scope.prefix}/exports/{name}"


def proposals_prefix(scope: Scope, dataset: str) -> str:
    """What the marks of a dataset's waiting proposals lie under.

    Not in the dataset's own folder: an archive of that is refused if it holds anything else than what was taught.
    """
    return f"{scope.prefix}/proposals/{dataset}/"


def proposal_key(scope: Scope, dataset: str, correction_id: str) -> str:
    """Says that a correction waits for a decision."""
    return f"{proposals_prefix(scope, dataset)}{correction_id}"


def settings_key(scope: Scope) -> str:
    """A scope's settings."""
    return f"{scope.prefix}/settings.json"


def selection_key(scope: Scope, interaction_id: str) -> str:
    """One choice of a dataset."""
    return f"{scope.prefix}/selections/{interaction_id}.json"


def name_key(scope: Scope, dataset: str) -> str:
    """Says that there is a dataset of this name."""
    return f"{scope.prefix}/names/{dataset}"


def instruction_key(scope: Scope) -> str:
    """The instruction in force, where managers gave one of their own."""
    return f"{scope.prefix}/instruction.json"


def instruction_version_key(scope: Scope, version_id: str) -> str:
    """An instruction that is or was in force."""
    return f"{scope.prefix}/instructions/{version_id}.json"


def draft_key(scope: Scope, draft_id: str) -> str:
    """An instruction that is not decided about yet."""
    return f"{scope.prefix}/drafts/{draft_id}.json"


def original_key(scope: Scope, attachment_id: str) -> str:
    """An uploaded file, as it came."""
    return f"{scope.prefix}/originals/{attachment_id}"


def upload_key(scope: Scope, user_id: str, attachment_id: str) -> str:
    """Who uploaded an original."""
    return f"{uploads_prefix(scope, user_id)}{attachment_id}.json"


def uploads_prefix(scope: Scope, user_id: str) -> str:
    """What the list of somebody's uploads lies under."""
    return f"{scope.prefix}/uploads/{user_id}/"


def personal_key(scope: Scope, user_id: str, name: str) -> str:
    """A file that only this person may have."""
    return f"{scope.prefix}/personal/{user_id}/{name}"


def forgotten_key(scope: Scope, user_id: str) -> str:
    """That a person asked to be forgotten, and when."""
    return f"{scope.prefix}/forgotten/{user_id}.json"


def request_key(scope: Scope, author: str, request_id: str) -> str:
    """That somebody wants to teach a message of this person."""
    return f"{scope.prefix}/requests/{author}/{request_id}.json"


def consent_key(scope: Scope, author: str, request_id: str) -> str:
    """What this person decided about that."""
    return f"{scope.prefix}/consents/{author}/{request_id}.json"
