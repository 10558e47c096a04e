from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_sidecar.receiving.replay import NonceMemory, Refusal, SequenceWindow


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40_000) | st.integers(0, 2**32 - 1)), max_size=200))
def test_a_nonce_is_fresh_once(uses: list[tuple[int, int]]) -> None:
    memory, seen = NonceMemory(), set[tuple[int, int]]()
    for use in uses:
        assert memory.fresh(*use) is (use not in seen)
        seen.add(use)


def test_a_nonce_is_known_after_hours() -> None:
    memory = NonceMemory()
    assert all(memory.fresh(1, nonce) for nonce in range(200_000))
    assert not any(memory.fresh(1, nonce) for nonce in range(0, 200_000, 997))


def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    memory = NonceMemory(most_blocks=2)
    assert all(memory.fresh(1, nonce) for nonce in (0, 1 << 13, 2 << 13))
    assert not memory.fresh(1, 1 << 13)
    assert not memory.fresh(1, 2 << 13)
    assert memory.fresh(1, 0)  # the price of the bound


def taken(window: SequenceWindow, sequence: int) -> int:
    index = window.admit(sequence)
    assert isinstance(index, int), index
    return index


@given(st.integers(0, 65_535), st.lists(st.integers(-100, 100), min_size=1, max_size=150))
def test_numbers_are_unwrapped_in_any_order_and_taken_once(start: int, jitter: list[int]) -> None:
    window, seen = SequenceWindow(), {0}
    first = taken(window, start)
    for step, shift in enumerate(jitter):
        offset = step * 20 + shift
        answer = window.admit((start + offset) & 0xFFFF)
        assert answer == (Refusal.DUPLICATE if offset in seen else first + offset)
        seen.add(offset)


def test_a_round_of_numbers_after_another() -> None:
    window = SequenceWindow()
    first = taken(window, 0)
    for offset in range(1, 200_000, 2):
        assert window.admit(offset & 0xFFFF) == first + offset
    assert window.admit(199_999 & 0xFFFF) is Refusal.DUPLICATE
    assert window.admit(199_998 & 0xFFFF) == first + 199_998


def test_a_leap_is_believed_when_the_next_packet_follows_it() -> None:
    window = SequenceWindow()
    before = taken(window, 10)
    assert window.admit(30_000) is Refusal.OUT_OF_PLACE
    assert window.admit(11) == before + 1  # the stream goes on: it was a stray
    assert window.admit(30_001) is Refusal.OUT_OF_PLACE
    after = taken(window, 30_002)
    assert after > before + SequenceWindow.LEAP
    assert after & 0xFFFF == 30_002
    assert window.admit(30_003) == after + 1


def test_a_sender_that_starts_anew_far_back() -> None:
    window = SequenceWindow()
    before = taken(window, 5_000)
    assert window.admit(5_000 - SequenceWindow.SIZE) is Refusal.OUT_OF_PLACE
    assert window.admit(0) is Refusal.OUT_OF_PLACE
    assert taken(window, 1) > before
