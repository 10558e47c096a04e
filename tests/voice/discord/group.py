"""The voice server's part in a call's end-to-end encryption: who is added and removed when, and when keys change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.voice.discord.commits import package_identity, proposal_reference, read_commit, welcome_for
from tests.voice.discord.roster import Change, Proposal, Roster, Transition
from tests.voice.discord.rules import Committer, Rules
from tests.voice.discord.waiting import Timers
from tests.voice.mls import DeliveryService, proposals_payload, vector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.voice.discord.commits import Commit
    from tests.voice.discord.seats import Seat

GATHERING = 0.5  # seconds in which the first members of a group may come
ON_THE_WAY = 1.0  # seconds for which packets from before a transition may still arrive


class Group:
    """The group of one call.

    Args:
        channel_id: Is the group's id.
        complain: Is told what a member did wrong.
        version: The protocol's version that the call has: 0 is no encryption.

    Attributes:
        refused: Who could not process which transition (op 31).
        executed: The transitions that were executed.
        plain_until: Until when, on the loop's clock, a frame in plaintext is no leak.
    """

    def __init__(self, channel_id: int, rules: Rules, complain: Callable[[str], None], version: int) -> None:
        self.service = DeliveryService(channel_id)
        self.rules = rules
        self.version = version
        self.roster = Roster()
        self.seats: dict[int, Seat] = {}
        self.refused: list[tuple[int, int]] = []
        self.executed: list[int] = []
        self.plain_until = float("-inf") if version else float("inf")
        self._complain = complain
        self._introduced: set[int] = set()
        self._packages: dict[int, bytes] = {}
        self._change: Change | None = None
        self._transition: Transition | None = None
        self._wishes: list[Callable[[], None]] = []
        self._upgrade = 0
        self._damaged: set[tuple[int, int]] = set()
        self._unwanted: set[bytes] = set()
        self._last_id = 0
        self._gathering_until = 0.0
        self._timers = Timers()
        self._soon = False

    @property
    def epoch(self) -> int:
        return self.roster.epoch

    # Who is in the call

    def join(self, seat: Seat) -> None:
        self.seats[seat.user_id] = seat
        self._gathering_until = _now() + GATHERING
        if self.version or self._upgrade:
            self.introduce(seat)
        self._advance_soon()

    def introduce(self, seat: Seat) -> None:
        """Op 25, once for each seat."""
        if seat.user_id not in self._introduced:
            self._introduced.add(seat.user_id)
            for _ in range(2 if self.rules.repeated_external_sender else 1):
                seat.tell_binary(25, self.service.external_sender())

    def leave(self, user_id: int) -> None:
        """Also of somebody who joins again."""
        self.seats.pop(user_id, None)
        self._introduced.discard(user_id)
        self._packages.pop(user_id, None)
        self.roster.mark_stale(user_id)
        if self._transition is not None:
            self._transition.waiting.discard(user_id)
        if self._change is not None:
            self._change.asked.discard(user_id)
            self._change.commits.pop(user_id, None)
        if len(self.seats) == 1 and (self.epoch or self._change):
            self._regroup()
            if not self._upgrade:
                self._tell_all(21, {"transition_id": 0, "protocol_version": self.version})
        elif self._change is not None and not self._change.asked:
            self._regroup()
        self._advance_soon()

    def settled(self) -> bool:
        """Nothing is about to change: everybody has the same keys."""
        pending = self._soon or self._change or self._transition or self._wishes or self._upgrade
        if pending or self.roster.stale:
            return False
        if self.version == 0:
            return True
        if len(self.seats) < 2:
            return all(user_id in self._packages for user_id in self.seats)
        return set(self.roster.members(self.seats)) == self.seats.keys()

    # What members send

    def key_package(self, user_id: int, payload: bytes) -> None:
        """Op 26."""
        try:
            identity = package_identity(payload)
        except AssertionError as error:
            self._complain(f"{user_id} sent a key package that is {error}")
            return
        if identity != user_id:
            self._complain(f"{user_id} sent a key package of {identity}")
        elif not (self.version or self._upgrade):
            self._complain(f"{user_id} sent a key package to a call without DAVE")
        elif user_id in self.seats:
            self._packages[user_id] = payload
            self._advance_soon()

    def commit(self, user_id: int, payload: bytes) -> None:
        """Op 28."""
        try:
            commit = read_commit(payload)
        except AssertionError as error:
            self._complain(f"{user_id} sent a commit that cannot be read: {error}")
            return
        change = self._change
        if commit.group_id != self.service.group_id:
            self._complain(f"{user_id} sent a commit for another group")
        elif commit.epoch > self.epoch:
            self._complain(f"{user_id} sent a commit for epoch {commit.epoch} in epoch {self.epoch}")
        elif self._unwanted & set(commit.references):
            self._complain(f"{user_id} committed a proposal that it should refuse")
        elif commit.epoch < self.epoch or change is None or user_id not in change.asked:
            return  # Another's commit was taken before, or the group began anew.
        elif set(commit.references) != change.expected_of(user_id):
            self._complain(f"{user_id} committed other proposals than those that were made")
        elif bool(commit.welcome) != any(change.proposals[one].package for one in commit.references):
            self._complain(f"{user_id} sent a commit without its welcome, or a welcome for nobody")
        else:
            change.commits[user_id] = commit
            self._choose(change, patient=True)

    def ready(self, user_id: int, transition_id: int) -> None:
        """Op 23."""
        if transition_id == 0:
            self._complain(f"{user_id} said to be ready for transition 0, which is executed at once")
        elif transition_id > self._last_id:
            self._complain(f"{user_id} said to be ready for transition {transition_id}, which nobody prepared")
        elif self._transition is not None and self._transition.id == transition_id:
            self._transition.waiting.discard(user_id)
            self._advance_soon()

    def invalid(self, user_id: int, transition_id: int) -> None:
        """Op 31: they could not process a commit or a welcome. They are removed, and added with a new key package."""
        self.refused.append((user_id, transition_id))
        if (user_id, transition_id) not in self._damaged:
            self._complain(f"{user_id} could not process transition {transition_id}, which is in order")
        self._packages.pop(user_id, None)
        self.roster.mark_stale(user_id)
        if self._transition is not None:
            self._transition.waiting.discard(user_id)
        self._advance_soon()

    # What a test asks for

    def downgrade(self) -> None:
        """To no encryption, as when somebody joined who has none."""

        def begin() -> None:
            number = self._begin_transition(self._next_id(), set(self.seats), self._downgraded)
            self._tell_all(21, {"transition_id": number, "protocol_version": 0})

        self._wish(begin)

    def upgrade(self) -> None:
        """From no encryption to version 1, in a new group."""

        def begin() -> None:
            self._upgrade = 1
            self._regroup()
            for seat in self.seats.values():
                self.introduce(seat)

        self._wish(begin)

    def regroup(self) -> None:
        """A new group for all, as after a fault of the voice server."""
        self._wish(self._regroup)

    def propose(self, message: bytes) -> None:
        """Sends all members a proposal that they should refuse, such as of a user whom nobody announced."""
        self._unwanted.add(proposal_reference(message))
        self._tell_members(27, proposals_payload(message))

    def revoke(self, message: bytes) -> None:
        """Takes such a proposal back."""
        self._tell_members(27, b"\x01" + vector(vector(proposal_reference(message))))

    def close(self) -> None:
        self._timers.cancel()
        self.seats.clear()

    # How it goes on

    def _wish(self, what: Callable[[], None]) -> None:
        self._wishes.append(what)
        self._advance_soon()

    def _advance_soon(self) -> None:
        if not self._soon:
            self._soon = True
            self._timers.later(0, self._advance)

    def _advance(self) -> None:
        self._soon = False
        if self._transition is not None:
            if self._transition.waiting:
                return
            self._execute(self._transition)
        if self._change is not None:
            return
        if self._wishes:
            self._wishes.pop(0)()
            self._advance_soon()
        elif self.epoch:
            self._propose_changes()
        elif self.version or self._upgrade:
            self._propose_first()

    def _propose_first(self) -> None:
        candidates = [user_id for user_id in self.seats if user_id in self._packages]
        if len(self.seats) == 1 and candidates and self._upgrade:
            self._tell_all(21, {"transition_id": 0, "protocol_version": self._upgrade})
            self._upgraded()
        if len(candidates) < 2:
            return
        if len(candidates) < len(self.seats) and _now() < self._gathering_until:
            self._timers.later(self._gathering_until - _now(), self._advance_soon)
            return
        self._propose([self._add(user_id) for user_id in candidates], candidates)

    def _propose_changes(self) -> None:
        members = self.roster.members(self.seats)
        adding = [user_id for user_id in self.seats if user_id in self._packages and user_id not in members]
        if not adding and not self.roster.stale:
            return
        if not members:
            self._regroup()
        elif self.roster.stale:
            leaf = self.roster.stale[0]
            removed = self.roster.leaves[leaf]
            assert removed is not None
            self._propose([Proposal(removed, self.service.remove(self.epoch, leaf), leaf=leaf)], members)
        else:
            self._propose([self._add(user_id) for user_id in adding], members)

    def _add(self, user_id: int) -> Proposal:
        package = self._packages[user_id]
        return Proposal(user_id, self.service.add(self.epoch, package), package)

    def _propose(self, proposals: list[Proposal], asked: list[int]) -> None:
        change = Change({proposal_reference(one.message): one for one in proposals}, set(asked))
        self._change = change
        self._timers.later(self.rules.patience, lambda: self._choose(change, patient=False))
        for user_id in asked:
            expected = change.expected_of(user_id)
            told = [one.message for reference, one in change.proposals.items() if reference in expected]
            self.seats[user_id].tell_binary(27, proposals_payload(*told))

    def _choose(self, change: Change, *, patient: bool) -> None:
        if change is not self._change:
            return
        for user_id, commit in change.commits.items():
            if not patient or self._may_win(user_id, change):
                self._take(user_id, commit, change)
                return
        if not patient:
            silent = ", ".join(map(str, sorted(change.asked)))
            self._complain(f"nobody committed in epoch {self.epoch}, though {silent} should")
            self._regroup()

    def _may_win(self, user_id: int, change: Change) -> bool:
        if self.rules.committer is Committer.FIRST:
            return True
        wanted = self.rules.committer is Committer.BOT
        of_kind = [one for one in change.asked if self.seats[one].is_bot is wanted]
        return user_id in of_kind or not of_kind

    def _take(self, author: int, commit: Commit, change: Change) -> None:
        first = not self.epoch
        staying = [author] if first else sorted(change.asked)
        proposals = [change.proposals[reference] for reference in commit.references]
        added = self.roster.take(author, proposals)
        self._change = None
        transition_id = 0 if first and self.rules.first_transition_is_zero and not self._upgrade else self._next_id()
        number = transition_id.to_bytes(2, "big")
        if first:
            del self._packages[author]
        for user_id in staying:
            message = self._maybe_damaged(user_id, transition_id, commit.message, "corrupt_commits")
            self.seats[user_id].tell_binary(29, number + message)
        waiting = set(staying)
        for one in proposals:
            if one.package is None:
                continue
            if self._packages.get(one.user_id) != one.package:
                # They have left, or begun anew, in the meantime.
                self.roster.stale.append(added[one.user_id])
                continue
            del self._packages[one.user_id]
            assert commit.welcome is not None
            message = welcome_for(commit.welcome, one.package)
            message = self._maybe_damaged(one.user_id, transition_id, message, "corrupt_welcomes")
            self.seats[one.user_id].tell_binary(30, number + message)
            waiting.add(one.user_id)
        if transition_id:
            self._begin_transition(transition_id, waiting, self._upgraded)
        else:
            self.executed.append(0)
        self._advance_soon()

    def _maybe_damaged(self, user_id: int, transition_id: int, message: bytes, kind: str) -> bytes:
        left = getattr(self.rules, kind)
        if not left or not self.seats[user_id].is_bot:
            return message
        setattr(self.rules, kind, left - 1)
        self._damaged.add((user_id, transition_id))
        middle = len(message) // 2
        return message[:middle] + bytes([message[middle] ^ 0xFF]) + message[middle + 1 :]

    def _begin_transition(self, number: int, waiting: set[int], done: Callable[[], None]) -> int:
        transition = Transition(number, waiting, done)
        self._transition = transition

        def give_up() -> None:
            if self._transition is transition:
                silent = ", ".join(map(str, sorted(transition.waiting)))
                self._complain(f"{silent} did not say to be ready for transition {number}")
                transition.waiting.clear()
                self._advance_soon()

        self._timers.later(self.rules.patience, give_up)
        return number

    def _execute(self, transition: Transition) -> None:
        self._transition = None
        transition.done()
        self.executed.append(transition.id)
        for _ in range(2 if self.rules.repeated_messages else 1):
            self._tell_all(22, {"transition_id": transition.id})

    def _downgraded(self) -> None:
        self.version = 0
        self.roster.clear()
        self._packages.clear()
        self.plain_until = float("inf")

    def _upgraded(self) -> None:
        if self._upgrade:
            self.version, self._upgrade = self._upgrade, 0
            self.plain_until = _now() + ON_THE_WAY

    def _regroup(self) -> None:
        self._change = self._transition = None
        self.roster.clear()
        self._packages.clear()
        self._gathering_until = _now() + GATHERING
        version = self._upgrade or self.version
        if version:
            self._tell_all(24, {"transition_id": 0, "epoch": 1, "protocol_version": version})

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _tell_all(self, op: int, data: Mapping[str, object]) -> None:
        for seat in list(self.seats.values()):
            seat.tell(op, data)

    def _tell_members(self, op: int, payload: bytes) -> None:
        for user_id in self.roster.members(self.seats):
            self.seats[user_id].tell_binary(op, payload)


def _now() -> float:
    return asyncio.get_running_loop().time()
