"""Shared libraries without what only debuggers and linkers read: sections that no segment holds. Pure.

`strip` knows only its own machine's libraries, and functions are packaged for another one. The system's loader reads
a library by its segments (ELF's program headers) alone; so these keep their bytes and their addresses, and move
closer together in the file.

Source: Tool Interface Standard, Executable and Linking Format 1.2, https://refspecs.linuxfoundation.org/elf/elf.pdf;
64-bit layout: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
"""ident, type, machine, version, entry, phoff, shoff, flags, ehsize, phentsize, phnum, shentsize, shnum, shstrndx"""
SEGMENT: Final = struct.Struct("<IIQQQQQQ")
"""type, flags, offset, vaddr, paddr, filesz, memsz, align"""
IDENT: Final = b"\x7fELF\x02\x01"
"""64 bits, least significant byte first: both machines that functions run on."""
SHARED: Final = 3
LOAD: Final = 1
PAGE: Final = {62: 4096, 183: 65536}
"""The largest pages that x86-64 and AArch64 load a library in, by ELF's numbers of the machines. Linkers that keep
room for x86-64's huge pages, which libraries are not loaded in, make files of holes."""


class Segment(NamedTuple):
    """A part of the file, and where in memory it goes."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    align: int


class _Range(NamedTuple):
    start: int
    end: int


def segments(data: bytes) -> list[Segment]:
    """The segments of a library; none of what is no 64-bit library."""
    if not data.startswith(IDENT) or len(data) < HEADER.size:
        return []
    header = HEADER.unpack_from(data)
    kind, offset, each, count = header[1], header[5], header[9], header[10]
    if kind != SHARED or each != SEGMENT.size:
        return []
    return [Segment(*SEGMENT.unpack_from(data, offset + number * each)) for number in range(count)]


def stripped(data: bytes) -> bytes:
    """The library without sections outside of its segments; other data, and what gains nothing, as it is."""
    found = segments(data)
    loaded = [segment for segment in found if segment.kind == LOAD]
    header = list(HEADER.unpack_from(data)) if loaded else []
    if not loaded or header[2] not in PAGE or any(segment.size == 0 for segment in loaded):
        return data
    align = min(max(segment.align for segment in loaded), PAGE[header[2]])
    table = _Range(header[5], header[5] + SEGMENT.size * len(found))
    # In memory a segment lies as far from the beginning of a page as in the file: all move by whole pages.
    places = _packed([_Range(0, HEADER.size), table, *(_Range(s.offset, s.offset + s.size) for s in found)], align)
    out = bytearray(max(new + end - start for (start, end), new in places.items()))
    for (start, end), new in places.items():
        out[new : new + end - start] = data[start:end]
    header[5] = _moved(table.start, places)
    header[6] = header[12] = header[13] = 0  # there is no table of sections any more
    HEADER.pack_into(out, 0, *header)
    for number, segment in enumerate(found):
        moved = segment._replace(offset=_moved(segment.offset, places)) if segment.size else segment
        if segment.kind == LOAD:
            moved = moved._replace(align=min(segment.align, align))
        SEGMENT.pack_into(out, header[5] + number * SEGMENT.size, *moved)
    return bytes(out) if len(out) < len(data) else data


def _packed(ranges: list[_Range], align: int) -> dict[_Range, int]:
    """Where each range goes: ranges that touch go together, and each by a multiple of `align`."""
    joined: list[_Range] = []
    for each in sorted(each for each in ranges if each.end > each.start):
        if joined and each.start <= joined[-1].end:
            joined[-1] = _Range(joined[-1].start, max(joined[-1].end, each.end))
        else:
            joined.append(each)
    places: dict[_Range, int] = {}
    free = 0
    for each in joined:
        places[each] = free + (each.start - free) % align
        free = places[each] + each.end - each.start
    return places


def _moved(offset: int, places: dict[_Range, int]) -> int:
    return next(new + offset - each.start for each, new in places.items() if each.start <= offset < each.end)
