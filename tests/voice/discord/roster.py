"""Who has which leaf in the tree of a group (RFC 9420 section 12.4.2), and who is about to be added or removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.voice.discord.commits import Commit


@dataclass(frozen=True)
class Proposal:
    """To add somebody, or to remove a leaf."""

    user_id: int
    message: bytes
    package: bytes | None = None
    """Of an Add; none of a Remove."""
    leaf: int = -1
    """Of a Remove."""


@dataclass
class Change:
    """Proposals of one epoch, by their references, until a commit of them is taken."""

    proposals: dict[bytes, Proposal]
    asked: set[int]
    """Who may commit them."""
    commits: dict[int, Commit] = field(default_factory=dict)

    def expected_of(self, user_id: int) -> set[bytes]:
        """What somebody must commit: nobody is told to add themselves."""
        return {
            reference for reference, one in self.proposals.items() if one.package is None or one.user_id != user_id
        }


@dataclass
class Transition:
    """A change of keys or of the version that some are not yet ready for."""

    id: int
    waiting: set[int]
    done: Callable[[], None]


@dataclass
class Roster:
    """The leaves of the group.

    Attributes:
        epoch: 0 is no group.
        stale: Leaves that are to be removed.
    """

    epoch: int = 0
    leaves: list[int | None] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)

    def clear(self) -> None:
        self.epoch, self.leaves, self.stale = 0, [], []

    def members(self, present: Collection[int]) -> list[int]:
        """Who of those present is in the group, and stays."""
        return [
            user_id
            for leaf, user_id in enumerate(self.leaves)
            if user_id is not None and leaf not in self.stale and user_id in present
        ]

    def mark_stale(self, user_id: int) -> None:
        """Somebody's leaf is to be removed, if they have one."""
        for leaf, owner in enumerate(self.leaves):
            if owner == user_id and leaf not in self.stale:
                self.stale.append(leaf)

    def take(self, author: int, proposals: list[Proposal]) -> dict[int, int]:
        """A commit, by its proposals in its order.

        Returns:
            The new leaf of each who was added.
        """
        if not self.epoch:
            self.leaves = [author]
        for one in proposals:
            if one.package is None:
                self.leaves[one.leaf] = None
                self.stale.remove(one.leaf)
        added = {}
        for one in proposals:
            if one.package is not None:
                if None not in self.leaves:
                    self.leaves.append(None)
                added[one.user_id] = self.leaves.index(None)
                self.leaves[added[one.user_id]] = one.user_id
        self.epoch += 1
        return added
