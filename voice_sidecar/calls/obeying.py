"""Does what orders say, once each, and answers whoever gave them.

Of a command that has to be answered, the reply is claimed before anything else, also before what is done about the
server just now: the worker that sent it waits for that. It is done when the reply is shown. A process that ends in
between leaves its claim: the next one finds that it is ours and not done, and goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, assert_never

from trainer import logs
from trainer.i18n import translator
from trainer.ports import StoreUnavailable
from trainer.voice_orders import Consent, Join, Leave, Say, SettingsChanged, expired
from voice_sidecar.calls import wording
from voice_sidecar.calls.calls import Joining
from voice_sidecar.calls.deciding import Go, Refuse, Stay, decide_join
from voice_sidecar.calls.messages import Message
from voice_sidecar.calls.rest import NotDone
from voice_sidecar.connection.outcomes import CannotJoin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trainer.voice_calls import Side
    from trainer.voice_orders import Order
    from voice_sidecar.calls.calls import Calls
    from voice_sidecar.calls.kept import Kept
    from voice_sidecar.calls.notices import Notices
    from voice_sidecar.calls.places import Places
    from voice_sidecar.calls.rest import Rest

FOREIGN_S: Final = 0.5
"""How soon another sidecar may look at an order that is not for us."""
AGAIN_S: Final = 1.0
"""How soon an order is tried again when store or Discord do not answer."""
TOKEN_S: Final = 14 * 60.0
"""How long a reply can be edited: Discord says 15 minutes."""
_REMEMBERED: Final = 256
"""Replies that are kept until they are shown."""
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

log = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """What becomes of an order's job."""

    do: Literal["complete", "release"]
    delay_s: float = 0.0


DONE: Final = Verdict("complete")


class Obeying:
    """Orders, one by one. Used in the event loop's thread; those of one server may be given at the same time.

    Args:
        calls: what they are about.
        kept: claims.
        rest: shows replies.
        places: where people are.
        notices: what is written into chats.
        now: seconds since the epoch.

    Attributes:
        stopping: nothing is begun any more; what has not begun is given back.
    """

    def __init__(
        self,
        calls: Calls,
        kept: Kept,
        rest: Rest,
        places: Places,
        notices: Notices,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.stopping = False
        self._calls = calls
        self._kept = kept
        self._rest = rest
        self._places = places
        self._notices = notices
        self._now = now
        self._replies: OrderedDict[str, Message] = OrderedDict()

    async def obey(self, order: Order) -> Verdict:
        """Do what an order says. Doing it twice changes nothing."""
        guild_id = int(order.guild_id)
        if not self._places.mine(guild_id):
            if not expired(order, self._now()):
                return Verdict("release", FOREIGN_S)
            log.info("order too late", extra={"guild_id": guild_id})
            return DONE
        try:
            match order:
                case Join():
                    with logs.interaction(order.id):
                        return await self._answered(order, self._join)
                case Leave():
                    with logs.interaction(order.id):
                        return await self._answered(order, self._leave)
                case Say():
                    with logs.interaction(order.id):
                        return await self._say(order)
                case Consent():
                    await self._calls.consent(guild_id, int(order.user_id), agreed=order.agreed)
                case SettingsChanged():
                    async with self._calls.lane(guild_id):
                        await self._notices.settings_changed(guild_id)
                case _:
                    assert_never(order)
        except StoreUnavailable as error:
            log.warning("order not done yet", extra=logs.places(error))
            return DONE if expired(order, self._now()) else Verdict("release", AGAIN_S)
        return DONE

    async def give_up(self, order: Order) -> None:
        """An order failed again and again: whoever waits for it is told."""
        if isinstance(order, Join | Leave):
            with logs.interaction(order.id):
                t = translator(order.locale)
                self._remember(order, Message(wording.not_finished(t, reference(order.id))))
                await self._show(order)

    # --- commands that are answered -----------------------------------------------------------------------------

    async def _answered(self, order: Join | Leave, do: Callable[[Join | Leave], Awaitable[Message]]) -> Verdict:
        guild_id = int(order.guild_id)
        if not self._places.known(guild_id) and not expired(order, self._now()):
            return Verdict("release", FOREIGN_S)  # the gateway has yet to tell us of it
        claim = asyncio.ensure_future(self._take_on(order))
        try:
            async with self._calls.lane(guild_id):
                if await claim != "sidecar":
                    log.info("somebody else answers")
                    return DONE
                if self.stopping:
                    return Verdict("release")
                if await self._kept.done(guild_id, order.id):
                    log.info("done before")
                    return DONE
                if order.id not in self._replies:
                    self._remember(order, await self._in_time(order, do))
                return await self._show(order)
        finally:
            claim.cancel()
            await asyncio.gather(claim, return_exceptions=True)

    async def _take_on(self, order: Join | Leave) -> Side | None:
        """Whose the reply is. Too late, none is taken on: but if it is ours from before, somebody still waits."""
        if expired(order, self._now()):
            return await self._kept.claimed(int(order.guild_id), order.id)
        return await self._kept.claim(int(order.guild_id), order.id)

    async def _in_time(self, order: Join | Leave, do: Callable[[Join | Leave], Awaitable[Message]]) -> Message:
        if expired(order, self._now()):
            log.info("order too late")
            guild_id = int(order.guild_id)
            if isinstance(order, Join) and await self._kept.state(guild_id) is None:
                await self._kept.take_back(guild_id, int(order.user_id), order.id)
            return Message(wording.interrupted(translator(order.locale)))
        return await do(order)

    async def _show(self, order: Join | Leave) -> Verdict:
        """Show the reply, and note that the order is done."""
        try:
            await self._rest.edit_reply(order.application_id, order.token, self._replies[order.id])
        except NotDone as error:
            log.warning("reply not shown", extra={"reason": error.reason, "code": error.code})
            if error.reason == "unavailable" and self._now() < order.at + TOKEN_S:
                return Verdict("release", AGAIN_S)
        await self._kept.do_once(int(order.guild_id), order.id)
        self._replies.pop(order.id, None)
        return DONE

    def _remember(self, order: Join | Leave, message: Message) -> None:
        self._replies[order.id] = message
        while len(self._replies) > _REMEMBERED:
            self._replies.popitem(last=False)

    async def _join(self, order: Join | Leave) -> Message:
        t, guild_id, user_id = translator(order.locale), int(order.guild_id), int(order.user_id)
        call = self._calls.call(guild_id)
        asker_in = self._places.where(guild_id, user_id)
        decided = decide_join(
            asker_in,
            None if asker_in is None else self._places.spot(guild_id, asker_in),
            None if call is None else call.room.channel_id,
            kept=call is not None and any(True for _ in call.room.heard()),
        )
        match decided:
            case Refuse():
                log.info("not joined", extra={"why": decided.why.value})
                await self._kept.take_back(guild_id, user_id, order.id)
                return Message(wording.refused(t, decided))
            case Stay(channel_id):
                await self._calls.consent(guild_id, user_id, agreed=True)
                return Message(wording.already(t, channel_id, heard=self._calls.heard(guild_id, user_id)))
            case Go(channel_id):
                return await self._go(order, channel_id)
            case _:
                assert_never(decided)

    async def _go(self, order: Join | Leave, channel_id: int) -> Message:
        t, guild_id, user_id = translator(order.locale), int(order.guild_id), int(order.user_id)
        try:
            call = await self._calls.arrive(Joining(guild_id, channel_id, int(order.channel_id), user_id))
        except CannotJoin as error:
            log.warning("not joined", extra={"why": error.reason.value, "missing": list(error.missing)})
            await self._kept.take_back(guild_id, user_id, order.id)
            return Message(wording.not_connected(t, error, channel_id))
        except Exception as error:  # noqa: BLE001 - whatever it was, the person is told
            ref = reference(order.id)
            log.error("not joined", extra={"reference": ref, **logs.places(error)})  # noqa: TRY400 - no traceback
            await self._kept.take_back(guild_id, user_id, order.id)
            return Message(wording.failed(t, channel_id, ref))
        text = wording.joined(t, channel_id, heard=self._calls.heard(guild_id, user_id))
        if call.noticed:
            return Message(text)
        # There is no chat that we may write in: here at least people can read it.
        notice = await self._notices.message(guild_id, user_id)
        return Message(f"{text}\n\n{notice.text}", notice.buttons)

    async def _leave(self, order: Join | Leave) -> Message:
        """Who may send us away, the HTTP side has asked Discord before it gave the order."""
        t, guild_id = translator(order.locale), int(order.guild_id)
        call = self._calls.call(guild_id)
        if call is None:
            return Message(wording.not_here(t))
        await self._calls.end(guild_id)
        return Message(wording.left(t, call.room.channel_id))

    # --- what is said -------------------------------------------------------------------------------------------

    async def _say(self, order: Say) -> Verdict:
        guild_id = int(order.guild_id)
        call = self._calls.call(guild_id)
        if expired(order, self._now()):
            log.info("not said", extra={"why": "too late"})
            return DONE
        if call is None or self._places.where(guild_id, int(order.user_id)) != call.room.channel_id:
            log.info("not said", extra={"why": "they are not with us"})
            return DONE
        if await self._kept.do_once(guild_id, order.id):
            self._calls.spawn("saying", call.say, order.text, order.language)
        return DONE


def reference(order_id: str) -> str:
    """A short name for what went wrong, as the HTTP side makes it: the same whenever it is worked out."""
    number = int.from_bytes(hashlib.blake2b(order_id.encode(), digest_size=8).digest(), "big")
    letters = []
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)
