"""Shared libraries without what only debuggers read: of real ones, and still loadable."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import elf

EXTENSIONS: Final = ("msgspec._core", "nacl._sodium", "numpy._core._multiarray_umath", "rapidfuzz.fuzz_cpp")


def library(module: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None or not found.origin.endswith(".so"):
        pytest.skip(f"{module} is no shared library here")
    return Path(found.origin)


@pytest.mark.parametrize("module", EXTENSIONS)
def test_what_is_loaded_stays_as_it_is(module: str) -> None:
    data = library(module).read_bytes()
    if not elf.segments(data):
        pytest.skip("not ELF")

    less = elf.stripped(data)

    assert len(less) <= len(data)
    for before, after in zip(elf.segments(data), elf.segments(less), strict=True):
        assert after._replace(offset=0, align=0) == before._replace(offset=0, align=0)
        if before.size:
            assert (after.offset - after.address) % after.align == 0 or after.kind != elf.LOAD
        if before.kind == elf.LOAD:
            # All but the file's own header and the table of segments, which lie in the first one.
            skip = elf.HEADER.size + len(elf.segments(data)) * elf.SEGMENT.size if before.offset == 0 else 0
            old = data[before.offset + skip : before.offset + before.size]
            assert less[after.offset + skip : after.offset + after.size] == old or moved_table(data, before)


def moved_table(data: bytes, segment: elf.Segment) -> bool:
    """Whether the table of segments, whose offsets change, lies elsewhere in this segment."""
    table = elf.HEADER.unpack_from(data)[5]
    return bool(segment.offset < table < segment.offset + segment.size)


def test_a_stripped_library_works(tmp_path: Path) -> None:
    for module in ("msgspec", "numpy"):
        source = library({"msgspec": "msgspec._core", "numpy": "numpy._core._multiarray_umath"}[module])
        root = next(parent for parent in source.parents if parent.name == module).parent
        for kept in (module, f"{module}.libs"):
            if not (root / kept).is_dir():
                continue
            for path in (root / kept).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts and "tests" not in path.parts:
                    target = tmp_path / path.relative_to(root)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    data = path.read_bytes()
                    target.write_bytes(elf.stripped(data) if ".so" in path.suffixes else data)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import msgspec, numpy\n"
        "assert msgspec.__file__.startswith(sys.argv[1]) and numpy.__file__.startswith(sys.argv[1])\n"
        "assert msgspec.json.decode(msgspec.json.encode([1, 'a'])) == [1, 'a']\n"
        "assert numpy.allclose(numpy.linalg.inv(numpy.eye(9) * 4), numpy.eye(9) / 4)\n"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()


def made(*, machine: int = 62, debug: int = 100_000, memory_only: bool = False) -> bytes:
    """A library of two segments with debug information between them."""
    first, second = b"\x90" * 512, b"data" * 64
    at = 4096 + debug + (-debug % 4096)
    header = elf.HEADER.pack(
        elf.IDENT + bytes(10), elf.SHARED, machine, 1, 0, 64, at + len(second), 0, 64, 56, 2, 64, 3, 2
    )
    table = elf.SEGMENT.pack(elf.LOAD, 5, 0, 0, 0, 1024, 1024, 4096)
    size = 0 if memory_only else len(second)
    table += elf.SEGMENT.pack(elf.LOAD, 6, at, at, at, size, 4096, 4096)
    start = (header + table).ljust(512, b"\0") + first
    return start.ljust(at, b"D") + second + b"section headers"


def test_debug_information_between_segments_goes() -> None:
    data = made()

    less = elf.stripped(data)

    assert len(less) == 4096 + 256
    assert b"D" not in less
    _, second = elf.segments(less)
    assert less[second.offset :] == b"data" * 64
    assert second.address == elf.segments(data)[1].address
    assert elf.stripped(less) == less


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"PK\x03\x04" + bytes(100),
        made(machine=8),
        made(memory_only=True),
        made()[:4] + b"\x01" + made()[5:],
        struct.pack("<16sHH", elf.IDENT + bytes(10), 2, 62) + bytes(100),
    ],
    ids=["empty", "short", "zip", "mips", "memory", "32 bits", "program"],
)
def test_everything_else_stays(data: bytes) -> None:
    assert elf.stripped(data) == data


@given(st.binary(max_size=200))
def test_what_is_no_library_is_no_error(data: bytes) -> None:
    assert elf.stripped(data) == data
