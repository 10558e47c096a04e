"""What a person hears of the bot, told by its sound."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.voice.discord.waiting import TookTooLong
from tests.voice.whole.sounds import KNOWN_AT, PACKETS_A_S, likeness, packets, tape, wave_of
from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from tests.voice.discord import Human
    from trainer.speech.audio_pcm import Samples

LOOK_S = 0.05


class Listener:
    """Remembers what somebody has heard already.

    Args:
        human: who listens.
    """

    def __init__(self, human: Human) -> None:
        self.human = human
        self._from = len(human.heard_packets())

    @property
    def count(self) -> int:
        """Audible packets since it was made, or since the last thing that was heard."""
        return len(self.human.heard_packets()) - self._from

    def likeness(self, part: Samples) -> tuple[float, int]:
        """How alike what was heard and a sound are where they are most alike, and which packet follows that."""
        heard = self.human.heard_packets()[self._from :]
        alike, at = likeness(wave_of(heard), part) if heard else (0.0, 0)
        return alike, max(0, (at + len(part)) * PACKETS_A_S // RATE)

    async def hears(self, text: str, *, within: float = 20.0) -> None:
        """Waits until they have heard this, from its beginning to its end."""
        await self.hears_sound(tape(text), text, within=within)

    async def hears_sound(self, part: Samples, what: str, *, within: float = 20.0) -> None:
        end = asyncio.get_running_loop().time() + within
        enough, looked_at = round(0.9 * len(part) / RATE * PACKETS_A_S), 0
        while True:
            if self.count >= enough and self.count != looked_at:
                looked_at = self.count
                alike, after = self.likeness(part)
                if alike >= KNOWN_AT:
                    self._from += after
                    return
            if asyncio.get_running_loop().time() > end:
                raise TookTooLong(f"waited {within:g} s until {self.human.name} hears: {what}")
            await asyncio.sleep(LOOK_S)


async def says(human: Human, text: str, *, pace: float = 0) -> None:
    """Somebody says something: all at once, as it is heard by its own time. A busy machine makes no pauses in it.

    No more than two seconds: timestamps that are farther ahead are not believed.
    """
    await human.speak(packets(text), pace=pace)
