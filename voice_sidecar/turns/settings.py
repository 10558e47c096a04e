"""The settings of ears."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

_PROBABILITIES: Final = frozenset({"start", "stop", "complete_from", "incomplete_below"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds, probabilities from 0 to 1.

    Attributes:
        start: The probability of voice from which on somebody begins to speak.
        stop: The one below which they no longer do: lower, so that a voice that fades does not flicker.
        least_voice: A turn with less voice is dropped after `least_pause`, and when it is a second long.
        padding: Sound kept from before the first voice: quiet consonants that begin a word.
        lead: Silence put in front of that: recognisers drop a name at the very start.
        short_pause: After which recognition may begin.
        first_pause: The pause that ends the turn of somebody whose pauses are not known yet.
        least_pause: The bounds of the pause that ends a turn, as it adapts to the speaker.
        most_pause: See there.
        same_breath: Speech so soon after the end of a turn shows that the turn was ended too early.
        complete_from: The probability that a turn is over from which on a verdict is believed.
        incomplete_below: The one below which it says that the turn goes on; between the two it says nothing.
        complete_pause: The pause that ends a turn that sounds finished; if the speaker usually pauses for longer in
            mid-turn, as long as that.
        incomplete_pause: The pause that ends one that does not sound finished.
        longest: A turn is ended at this length, and in the tenth before that at the first short pause.
    """

    start: float = 0.5
    stop: float = 0.35
    least_voice: float = 0.2
    padding: float = 0.3
    lead: float = 0.5
    short_pause: float = 0.2
    first_pause: float = 0.7
    least_pause: float = 0.4
    most_pause: float = 1.2
    same_breath: float = 1.5
    complete_from: float = 0.6
    incomplete_below: float = 0.4
    complete_pause: float = 0.3
    incomplete_pause: float = 2.0
    longest: float = 60.0

    def __post_init__(self) -> None:
        """Raises `ValueError` for settings that contradict each other."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= (1 if field.name in _PROBABILITIES else 3600):
                raise ValueError(f"{field.name} is {value}")
        if not 0 < self.stop <= self.start:
            raise ValueError("stop must be more than 0 and not more than start")
        if self.incomplete_below > self.complete_from:
            raise ValueError("incomplete_below must not be more than complete_from")
        if (
            not 0
            < self.short_pause
            <= self.least_pause
            <= self.first_pause
            <= self.most_pause
            <= self.incomplete_pause
        ):
            raise ValueError("pauses must not become shorter, from short_pause to incomplete_pause")
        if not self.short_pause <= self.complete_pause:
            raise ValueError("complete_pause must not be less than short_pause")
        if not self.least_voice <= 1 <= self.longest:
            raise ValueError("least_voice must not be more than a second, nor longest less")


def ear_settings(silence: float) -> Settings:
    """Those where a deployer says how long somebody is silent who has finished; the bounds make room for it.

    Args:
        silence: Seconds, 0.2 or more.
    """
    usual = Settings()
    least, most = min(usual.least_pause, silence), max(usual.most_pause, silence)
    return Settings(
        short_pause=min(usual.short_pause, least),
        first_pause=silence,
        least_pause=least,
        most_pause=most,
        complete_pause=max(min(usual.complete_pause, silence), min(usual.short_pause, least)),
        incomplete_pause=max(usual.incomplete_pause, most),
    )
