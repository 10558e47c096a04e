"""Struct types are ready before threads decode them; in a process of its own, as what is wrong ends the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PROGRAM: Final = '''
import sys, threading, types
import msgspec
from trainer.struct_types import make_ready

TYPES = """
from __future__ import annotations
import msgspec
class Inner(msgspec.Struct):
    a: int = 0
    b: str = ""
class Middle(msgspec.Struct):
    x: Inner
    y: list[Inner]
    z: dict[str, Inner]
class Outer(msgspec.Struct):
    m: Middle
    n: Middle | None = None
class OnlyWritten(msgspec.Struct):
    o: Inner | Middle
    p: Nothing
"""
DATA = b'{"m":{"x":{"a":1},"y":[{"a":2}],"z":{"k":{"a":3}}},"n":null}'
sys.setswitchinterval(1e-6)
decoded = []

def decode(kind, barrier):
    barrier.wait()
    decoded.append(msgspec.json.decode(DATA, type=kind).m.y[0].a)

for number in range(int(sys.argv[1])):
    module = types.ModuleType(f"made{number}")
    sys.modules[module.__name__] = module
    exec(TYPES, module.__dict__)
    make_ready()
    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=decode, args=(module.Outer, barrier)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert decoded == [2] * 4 * int(sys.argv[1])
'''


def test_threads_may_be_the_first_to_decode_a_type() -> None:
    """Without `make_ready`, hardly any process survives a tenth of it."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, "300"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_types_that_are_only_written_stand_in_nobody_s_way() -> None:
    import msgspec

    from trainer import struct_types

    class One(msgspec.Struct):
        a: int

    class OnlyWritten(msgspec.Struct):
        b: object

    struct_types.make_ready()
    struct_types.make_ready()
    assert {One, OnlyWritten} <= struct_types._ready
