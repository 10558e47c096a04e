"""What the bot says and writes by itself in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voice_sidecar.conversation.outages import Part

ONE_MOMENT: Final = N_("One moment.")
LISTENING: Final = N_("Yes?")
UNKNOWN: Final = N_("I don't know that yet.")
TOO_FAST: Final = N_("You are too fast for me. Please wait a little.")
TOO_MANY: Final = N_("So many people here need me that I cannot keep up. Please wait a little.")
AGAIN: Final = N_("Let me begin again.")
REST_IN_CHAT: Final = N_("The rest is in the chat.")
REST_BY_ASKING: Final = N_("There is more to it: ask me in writing to read all of it.")
WORD_FOR_WORD: Final = N_("My language model does not answer now, so that was word for word what I was taught.")
"""Behind such an answer."""

SPOKEN: Final[Mapping[Part, str]] = {
    "recogniser": N_("Sorry, I cannot make out what is said: my speech recognition does not answer."),
    "model": N_("Sorry, I cannot answer now: my language model does not answer."),
    "store": N_("Sorry, I cannot look up right now what I was taught."),
    "budget": N_("Sorry, this month's budget is used up, so I cannot listen until the next one."),
}
"""Said once when a part fails."""
WRITTEN: Final[Mapping[Part, str]] = {
    "recogniser": N_("⚠️ I cannot make out what is said: there is no speech recognition that works right now."),
    "model": N_("⚠️ The language model does not answer right now. I say what I was taught, where I can."),
    "voice": N_("⚠️ I cannot speak right now: there is no voice that works. `/ask` works as ever."),
    "store": N_("⚠️ I cannot look up right now what I was taught. I keep trying."),
    "budget": N_("⚠️ This month's budget is used up, so I cannot listen until the next one. `/ask` takes text."),
}
"""Written into the channel's chat when a part fails."""
PREPARED: Final = (ONE_MOMENT, LISTENING)
"""What is made into sound in advance, as it has to be said at once."""
