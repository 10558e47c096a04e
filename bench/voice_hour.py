"""An hour of one person's packets through the receiver and the ear, as fast as it goes, in a process of its own.

Prints the memory after the first minutes and after all of them, and the processor time of our part alone.
"""

from __future__ import annotations

import json
import time
from itertools import cycle
from typing import TYPE_CHECKING, Final

from bench.voice_sound import speech
from bench.voice_usage import usage
from tests.voice.room import DaveyMember, LibdaveMember, Room
from tests.voice.talker import KEY, Talker, session
from voice_sidecar.receiving.dave import DaveyOpener
from voice_sidecar.receiving.opus import SILENCE
from voice_sidecar.receiving.receiver import Receiver
from voice_sidecar.receiving.transport import Mode, Sealer
from voice_sidecar.turns.ears import load_ears
from voice_sidecar.turns.events import TurnEnded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voice_sidecar.receiving.speaker import Chunk

ADA, BOT, SSRC = 11, 22, 1_001
HOUR_S: Final = 3_600.0
WARM_S: Final = 180.0
"""After which everything has been loaded and every buffer was full once."""
SLOT_S: Final = 0.02
SPEECH_S: Final = 8.0
PAUSE_S: Final = 4.0
"""After each stretch of speech: Discord's clients send nothing then."""


def frames() -> Iterator[tuple[bytes, float]]:
    """Opus packets, and how long after the one before each comes."""
    sentence = [*speech(SPEECH_S), *[SILENCE] * 5]
    gaps = [PAUSE_S, *[SLOT_S] * (len(sentence) - 1)]
    return cycle(zip(sentence, gaps, strict=True))


def main() -> None:
    ada, bot, room = LibdaveMember(ADA), DaveyMember(BOT), Room()
    receiver = Receiver(lambda user_id: user_id == ADA, DaveyOpener(lambda: bot.session))
    receiver.feed_event(4, session(Mode.XCHACHA20, version=1), 0.0)
    room.join(ada, bot)
    receiver.feed_event(30, {"transition_id": 0}, 0.0)
    receiver.feed_event(5, {"user_id": str(ADA), "ssrc": SSRC, "speaking": 1}, 0.0)
    talker = Talker(SSRC, Sealer(Mode.XCHACHA20, KEY), seal=ada.seal)
    ear = load_ears(semantic=False).ear(ADA)
    now, packets, turns, spent = 0.0, 0, 0, 0.0

    def hear(chunks: list[Chunk], at: float) -> int:
        """How many turns are over by that."""
        return sum(isinstance(event, TurnEnded) for chunk in chunks for event in ear.feed(chunk, at))

    before: dict[str, float] | None = None
    for frame, gap in frames():
        if now > HOUR_S:
            break
        if before is None and now > WARM_S:
            before = usage()
        if gap > SLOT_S:
            talker.skip(round(gap / SLOT_S), sequence=False)
        datagram = talker.say(frame)
        began = time.thread_time()
        for deadline in iter(receiver.next_deadline, None):
            if deadline > now + gap:
                break
            turns += hear(receiver.tick(deadline), deadline)
        while (due := ear.next_deadline()) is not None and due <= now + gap:
            turns += sum(isinstance(event, TurnEnded) for event in ear.tick(due))
        now += gap
        turns += hear(receiver.feed(datagram, now), now)
        spent += time.thread_time() - began
        packets += 1
    assert before is not None
    after = usage()
    counters = receiver.counters
    assert not any((counters.dropped, counters.undecryptable, counters.lost, counters.concealed))
    found = {"before": before["rss"], "after": after["rss"], "cpu": spent, "packets": packets, "turns": turns}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
