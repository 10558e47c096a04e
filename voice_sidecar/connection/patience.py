"""How long the parts of a voice connection may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds.

    Attributes:
        answer: For the gateway to say where the voice server is.
        leave: For it to confirm that we left.
        explain: For it to say why the voice server closed, or where it sends us after a move.
        settle: For a deletion to become known that shows itself as a removal first.
        gateway: For the gateway to come back.
        group: For the end-to-end encrypted group to form while somebody else is there.
        resume_again: From when on a session that was resumed may be resumed again.
        lasting: From when on a connection counts as one that holds.
        give_up: For which it is tried to get one that does.
        first_pause: Before the second try; it grows.
        longest_pause: Between tries.
        join: For joining altogether, as whoever asks for it waits.
    """

    answer: float = 10.0
    leave: float = 2.0
    explain: float = 3.0
    settle: float = 0.3
    gateway: float = 30.0
    group: float = 15.0
    resume_again: float = 5.0
    lasting: float = 30.0
    give_up: float = 300.0
    first_pause: float = 0.25
    longest_pause: float = 20.0
    join: float = 20.0
