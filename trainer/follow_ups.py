"""Which questions lean on the one before them, and what they ask in full. Pure; English and Russian.

"And on mobile?" and "why?" say little by themselves. Where no language model reads the conversation, such a question
is looked up together with the former one's words, and what is found that way counts only if it has to do with what
the follow-up itself says: an answer that was given already is no answer to it. And of a question about "them" that
says little else, what is found must have to do with who or what was spoken of before: "how do I ping them?" behind a
question about moderators is not about a high ping.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from trainer import matching
from trainer.stopwords import GENERIC_WORDS, STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trainer.index import Entry, Hit

_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|\n+")
Leaning = Literal["no", "maybe", "yes"]

WORDS_MOST: Final = 10
"""A question of more words speaks for itself."""
FEW: Final = 2
"""So few words of their own make a fragment behind "and", and so few words at all may be one."""
TOPIC_MOST: Final = 500
"""Characters of a former question that are used."""
QUESTIONS_MOST: Final = 4
"""Questions inside a message that are looked up."""
LIKE_AT: Final = 0.6
"""From here on two stems are taken for one word."""
READ_MOST: Final = 2_000
"""Characters of an answer in which the follow-up's words are looked for."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


JOINING: Final = _words("and or but also then so plus а и но или тогда еще также ну")
ABOUT: Final = (
    *(("what", "about"), ("how", "about"), ("what", "if"), ("and", "if"), ("same", "for")),
    *(("что", "насчет"), ("как", "насчет"), ("а", "если"), ("что", "если"), ("то", "же")),
)
POINTING: Final = _words(
    "it its they them their theirs that this those these there he him his she her one ones "
    "он она оно они его ее их ему ей им него нее них нему ней ним это этого этому этим этом этот эта эти "
    "тот та те там туда оттуда тогда такой такая такое такие"
)
PRONOUNS: Final = _words(
    "they them their theirs he him his she her hers он она оно они его ее их ему ей им него нее них нему ней ним ними"
)
"""Of these, the ones that stand for somebody or something named before, and for nothing else. English "it" and "that"
often stand for nothing: "is it possible to …"."""
PLACING: Final = _words(
    "on in at for with without from to by via under during after before "
    "на в во для с со без из от по при через у к ко до после под"
)
ASKING: Final = _words(
    "why how when where what who which whose whom can could do does did is are was were will should may "
    "почему зачем как когда где куда откуда что кто какой какая какое какие сколько чей чья можно ли "
    "какого какому каким каком каких какими какую кого кому кем ком чего чему чем скольких скольким"
)
REASONS: Final = _words("why how when where почему зачем как когда где куда откуда сколько")
"""Of these, the ones that say what is asked even when nothing else is said."""
PERSONS: Final = _words(
    "you your yours me my i we us our ты тебя тебе вы вас вам вами ваш я меня мне мой мы нас нам наш"
)
"""A question about one of these is about the bot or the people, not about what was said before."""


def leaning(question: str) -> Leaning:
    """Whether a question leans on the one before: a fragment does, one that points at something may."""
    words = matching.words(question)
    if not words or len(words) > WORDS_MOST:
        return "no"
    rest = words[next((at for at, word in enumerate(words) if word not in JOINING), len(words)) :]
    own = [word for word in rest if word not in STOP_WORDS and word not in PRONOUNS]
    asks = any(word in ASKING for word in rest)
    joined = len(rest) < len(words)
    if tuple(words[:2]) in ABOUT or tuple(rest[:2]) in ABOUT or _points_back(rest, own, joined=joined):
        return "yes"
    if not own:
        fragment = (joined or len(rest) <= FEW) and PERSONS.isdisjoint(rest)
        return "yes" if fragment else "no"
    if not asks and ((joined and len(own) <= FEW) or rest[0] in PLACING):
        return "yes"
    if joined or len(words) <= FEW or not POINTING.isdisjoint(rest):
        return "maybe"
    return "no"


def _points_back(rest: Sequence[str], own: Sequence[str], *, joined: bool) -> bool:
    """Whether it is about somebody or something that it does not name itself.

    With more words of its own, it may name that itself: "how do I tame wolves and ride them?"
    """
    return 0 < len(own) <= (FEW if joined else 1) and not PRONOUNS.isdisjoint(rest)


def points_back(question: str) -> bool:
    """Whether a question has a pronoun for what was spoken of before, and says little else."""
    words = matching.words(question)
    rest = [word for word in words if word not in JOINING]
    own = [word for word in rest if word not in STOP_WORDS and word not in PRONOUNS]
    joined = bool(words) and words[0] in JOINING
    return len(words) <= WORDS_MOST and _points_back(rest, own, joined=joined)


def spoken_of(question: str, topic: str, answer: str, hits: Sequence[Hit]) -> list[Hit]:
    """Of what a follow-up finds, what it may mean: all, unless it points back.

    Args:
        question: the follow-up.
        topic: the question that it leans on.
        answer: what was answered last: it may have brought up what is meant.
        hits: what was found.
    """
    if not points_back(question):
        return list(hits)
    asked = _telling(topic)
    brought_up = _telling(answer[:READ_MOST])

    def meant(entry: Entry) -> bool:
        title = set(map(matching.stem, matching.words(entry.question)))
        text = title.union(map(matching.stem, matching.words(entry.answer[:READ_MOST])))
        return any(_among(stem, text) for stem in asked) or any(_among(stem, title) for stem in brought_up)

    return [hit for hit in hits if hit.exact or meant(hit.entry)]


def _telling(text: str) -> set[str]:
    """The stems of the words that say what a text is about: rather not those that all sorts of texts share."""
    content = [word for word in matching.words(text) if word not in STOP_WORDS and word not in PRONOUNS]
    return {matching.stem(word) for word in content if word not in GENERIC_WORDS} or set(map(matching.stem, content))


def in_full(question: str, topic: str) -> str:
    """A follow-up with the question that it leans on, as one text."""
    return f"{topic[:TOPIC_MOST].strip()} {question.strip()}"


def about(question: str, message: str) -> list[str]:
    """What to look up for a question about a message: both together, the message, and what it asks itself.

    An empty question stands for "what about this?".
    """
    start = message[:TOPIC_MOST]
    asked = [part.strip() for part in _SENTENCE_END.split(message) if part.strip().endswith("?")]
    queries = [start, *asked[:QUESTIONS_MOST]]
    if question.strip():
        queries = [in_full(question, message), *queries]
        if leaning(question) == "no":
            queries.append(question)
    return queries


def with_topic(question: str, topic: str, alone: Sequence[Hit], together: Sequence[Hit]) -> list[Hit] | None:
    """What answers a follow-up better than what it finds by itself; None if nothing does.

    Args:
        question: the follow-up.
        topic: the question that it leans on.
        alone: what the follow-up finds by itself, best first.
        together: what both find, best first.
    """
    told = [hit for hit in together if hit.exact or tells(question, topic, hit.entry)]
    if not told or (alone and _strength(alone[0]) >= _strength(told[0])):
        return None
    return told


def tells(question: str, topic: str, entry: Entry) -> bool:
    """Whether an entry has to do with what a follow-up says beyond the former question: with half of it at least."""
    former = set(map(matching.stem, matching.words(topic)))
    asked = matching.words(question)
    own = [word for word in asked if word not in STOP_WORDS] or [word for word in asked if word in REASONS]
    fresh = [stem for stem in map(matching.stem, own) if stem not in former]
    if not fresh:
        return bool(own)
    said = set(map(matching.stem, matching.words(f"{entry.question} {entry.answer[:READ_MOST]}")))
    return 2 * sum(_among(stem, said) for stem in fresh) >= len(fresh)


def _among(stem: str, said: Collection[str]) -> bool:
    return stem in said or any(matching.likeness(stem, other) >= LIKE_AT for other in said)


def _strength(hit: Hit) -> tuple[bool, float]:
    return hit.exact, hit.confidence
