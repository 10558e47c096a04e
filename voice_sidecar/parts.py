"""How the parts of the sidecar speak to each other: the few types and protocols that more than one of them knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trainer.ports.speech import Sound


class PacketSink(Protocol):
    """Where encoded sound goes: a voice connection. May be called from any thread."""

    def send(self, packet: bytes) -> bool:
        """Sends 20 ms of Opus; False if it could not be sent, as there is no connection or no key, and is gone."""
        ...

    def speaking(self, on: bool) -> None:
        """Shows that we speak, or no longer do."""
        ...


class Heard(NamedTuple):
    """What people have heard of something that was to be said."""

    text: str
    """The words of it that were played, as they were given."""
    seconds: float
    whole: bool
    """Nothing of it is missing."""


class Utterance(Protocol):
    """Something that is said in phrases: the first is played while the others are still made."""

    def add(self, text: str, sound: Sound) -> None:
        """The next phrase, with its words. Ignored once stopped."""
        ...

    def finish(self) -> None:
        """No phrase follows."""
        ...

    def heard(self) -> Heard:
        """What was heard of it so far."""
        ...

    def left_s(self) -> float:
        """Seconds of what was given that are yet to be played; 0 once it is over."""
        ...

    async def done(self) -> Heard:
        """Waits until it was played to its end, or was stopped."""
        ...


class Playback(Protocol):
    """Says one utterance after the other in one voice connection. Called in the event loop."""

    def begin(self, *, first_packet: Callable[[float], None] | None = None) -> Utterance:
        """A new utterance, after those that wait. `first_packet` is told when its first audible packet was sent."""
        ...

    def pause(self) -> None:
        """Falls silent within a packet or two, and keeps what is left."""
        ...

    def resume(self) -> None:
        """Goes on where it paused, from a little before it."""
        ...

    def stop(self) -> Heard | None:
        """Falls silent and drops everything that is left; what was heard of what was being said, if anything was."""
        ...

    @property
    def playing(self) -> bool:
        """Something is being said, or is paused, or waits for its next phrase."""
        ...


class Person(NamedTuple):
    """Somebody in a voice channel."""

    user_id: int
    name: str
    """Their display name: written by themselves, so never to be trusted."""
    bot: bool = False
    muted: bool = False
    """By themselves or by others: they cannot be heard."""


class Room(Protocol):
    """Who is in the voice channel that we are in."""

    guild_id: int
    channel_id: int
    locale: str
    """The server's preferred locale, such as `en-US`."""
    bot_name: str
    """Our own display name in the server."""

    def people(self) -> Mapping[int, Person]:
        """Everybody in the channel but ourselves and other bots, by id."""
        ...

    def heard(self) -> Iterable[int]:
        """Those of them who agreed to be heard, at this moment."""
        ...

    def hears(self, user_id: int) -> bool:
        """Whether somebody is among those: asked for every packet, so it is quick however many there are."""
        ...

    async def tell(self, text: str) -> None:
        """Writes into the channel's own chat. Fails silently but for a log line."""
        ...
