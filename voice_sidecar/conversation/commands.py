"""What people say to a voice that is no question: "stop", "thanks", "uh-huh". Pure; English and Russian."""

from __future__ import annotations

import re
from typing import Final, Literal

Remark = Literal["stop", "thanks", "listening", ""]
"""They want no more of it; they want no more of what is said to them; they listen, or think; none of these."""

_WORDS_MOST: Final = 7
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_STRETCHED: Final = re.compile(r"(.)\1{2,}")


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in text.replace("\n", ",").split(",") if phrase.strip())


_STOP: Final = _phrases(
    """stop, stop it, stop that, stop talking, stop speaking, stop now, stop there, please stop, be quiet, quiet,
    shut up, shush, hush, silence, enough, that's enough, that is enough, cancel, cancel that, never mind, nevermind,
    forget it, no, nope, wrong, no more, no need, you can stop, pause, that'll do, that will do,
    стоп, остановись, остановитесь, хватит, замолчи, замолчите, помолчи, тихо, тише, достаточно, довольно, перестань,
    прекрати, прекратите, отмена, отмени, отбой, не надо, не нужно, не важно, неважно, забудь, нет, молчи, молчать,
    заткнись, хорош, всё хватит, можешь не продолжать, не продолжай, стой, пауза"""
)
_THANKS: Final = _phrases(
    """thanks, thank you, thank you very much, thank you so much, thanks a lot, many thanks, cheers, thx,
    that's all, that is all, that's it, that's everything,
    спасибо, большое спасибо, спасибо большое, спасибо тебе, спасибо вам, огромное спасибо, благодарю, это всё,
    это все, у меня всё, на этом всё, больше ничего"""
)
_WAIT: Final = _phrases(
    """wait, wait a minute, wait a second, wait a moment, hold on, hang on, one moment, one second, one sec,
    just a moment, just a second, just a sec, a moment, a second, a minute,
    подожди, подождите, погоди, погодите, постой, постойте, минуту, минутку, минуточку, секунду, секундочку, момент,
    одну минуту, одну минутку, одну минуточку, одну секунду, одну секундочку, один момент"""
)
"""It counts from those who are answered alone: others say it to each other as well."""
_LISTENING: Final = _phrases(
    """uh, uhh, um, umm, er, erm, hm, hmm, hmmm, mm, mmm, mhm, mmhmm, mm hmm, mm hm, uh huh, uhhuh, huh, ah, aha, oh,
    ooh, wow, yeah, yep, yup, yes, ya, ok, okay, k, right, sure, i see, got it, alright, all right, fine, good, cool,
    nice, great, perfect, that's great, well, so, true, exactly, really, oh really, go on, continue, carry on,
    keep going, interesting, of course, makes sense,
    i know, like,
    ага, угу, да, ну, ну да, так, так так, мм, м, хм, хмм, э, ээ, эм, эмм, ммм, а, ах, ох, ого, ух ты, понятно, понял,
    поняла, ясно, ладно, хорошо, окей, ок, точно, конечно, правда, ну ладно, вот, вот так, вот как, продолжай, дальше,
    давай, верно, именно, отлично, супер, класс, интересно, ничего себе, надо же, как бы, типа, то есть"""
)
_POLITE: Final = frozenset({"please", "пожалуйста", "now", "already", "just", "уже", "всё", "все", "then", "тогда"})
_KINDS: Final[tuple[tuple[Remark, frozenset[tuple[str, ...]]], ...]] = (
    ("stop", _STOP),
    ("thanks", _THANKS),
    ("thanks", _WAIT),
    ("listening", _LISTENING),
)


def remark(text: str) -> Remark:
    """What kind of remark a text is, if it is nothing but one, or several.

    Of several kinds the most decided one counts: "ok, thanks, stop" is a wish to stop.
    """
    words = [_STRETCHED.sub(r"\1\1", word[0].casefold().replace("’", "'")) for word in _WORD.finditer(text)]
    if not 0 < len(words) <= _WORDS_MOST:
        return ""
    found = _read(words)
    if found is None:
        return ""
    return next((kind for kind, _ in _KINDS if kind in found), "")


def _read(words: list[str]) -> set[Remark] | None:
    """The kinds of the remarks that the words consist of; None if something else is among them."""
    found: set[Remark] = set()
    at = 0
    while at < len(words):
        for size in range(min(4, len(words) - at), 0, -1):
            phrase = tuple(words[at : at + size])
            kind = next((kind for kind, phrases in _KINDS if phrase in phrases), None)
            if kind is not None or (size == 1 and words[at] in _POLITE):
                found |= {kind} if kind is not None else set()
                at += size
                break
        else:
            return None
    return found
