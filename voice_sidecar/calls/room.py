"""The channel that we are in, as a conversation sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voice_sidecar.calls.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from voice_sidecar.calls.consents import Consents
    from voice_sidecar.calls.notices import Notices
    from voice_sidecar.calls.places import Places
    from voice_sidecar.parts import Person


class CallRoom:
    """Implements `voice_sidecar.parts.Room`. Going to another channel is another room.

    Args:
        guild_id: the server.
        channel_id: the voice channel.
        text_channel_id: where `/join` was typed: there is written what may not be written in the channel's own chat.
        places: who is there.
        consents: who of them is heard.
        notices: writes.
    """

    def __init__(
        self,
        guild_id: int,
        channel_id: int,
        text_channel_id: int,
        places: Places,
        consents: Consents,
        notices: Notices,
    ) -> None:
        self.guild_id = guild_id
        self.channel_id = channel_id
        self.text_channel_id = text_channel_id
        self._places = places
        self._consents = consents
        self._notices = notices
        self.refresh()

    def refresh(self) -> None:
        """The server's language, and our name there, may have been changed."""
        self.locale = self._places.locale(self.guild_id)
        self.bot_name = self._places.bot_name(self.guild_id)

    def people(self) -> Mapping[int, Person]:
        """Everybody in the channel but bots."""
        there = self._places.people(self.guild_id, self.channel_id)
        return {user_id: person for user_id, person in there.items() if not person.bot}

    def heard(self) -> Iterable[int]:
        """Those of them who agreed."""
        return self._consents.all_heard(self.guild_id) & self.people().keys()

    def hears(self, user_id: int) -> bool:
        """Whether somebody is there and agreed."""
        return self._consents.heard(self.guild_id, user_id)

    async def tell(self, text: str) -> None:
        """Write into the channel's own chat, or where we were called."""
        own = self._places.may_write(self.guild_id, self.channel_id)
        channel_id = self.channel_id if own else self.text_channel_id
        await self._notices.tell(self.guild_id, channel_id, Message(text))
