"""The pause that ends a turn, by silence alone: it follows the speaker's own pauses. Pure.

People differ: who thinks while speaking pauses for a second, who knows what to say not at all. So the mean of the
pauses after which somebody went on is kept, and how far they are from it, both as moving averages, and a turn ends
after a pause that is clearly longer: the mean and twice the deviation. This is how TCP finds out how long to wait
for an answer (RFC 6298).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from voice_sidecar.turns.settings import Settings

_MEAN_GAIN: Final = 0.2  # a new pause counts a fifth: people are heard for minutes, not hours
_DEVIATION_GAIN: Final = 0.25
_DEVIATIONS: Final = 2.0


class AdaptiveSilence:
    """One person's pauses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mean = min(settings.complete_pause, settings.first_pause)
        self._deviation = (settings.first_pause - self._mean) / _DEVIATIONS

    @property
    def usual(self) -> float:
        """Seconds that this person usually pauses."""
        return self._mean

    @property
    def wait(self) -> float:
        """Seconds of silence that end a turn, within the bounds of the settings."""
        wanted = self._mean + _DEVIATIONS * self._deviation
        return min(max(wanted, self._settings.least_pause), self._settings.most_pause)

    def went_on_after(self, pause: float) -> None:
        """Takes a pause of so many seconds after which the person spoke on.

        One that is longer than the bound counts as the bound: somebody who went to the door is no slow speaker.
        """
        pause = min(pause, self._settings.most_pause)
        self._deviation += _DEVIATION_GAIN * (abs(pause - self._mean) - self._deviation)
        self._mean += _MEAN_GAIN * (pause - self._mean)
