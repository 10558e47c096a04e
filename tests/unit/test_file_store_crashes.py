"""The folder with several processes, and after their sudden end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from trainer.adapters.file_store import FileStore

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


# --- several processes, and their sudden end ------------------------------------------------------------------

COUNT: Final = """
import sys
from pathlib import Path
from trainer.adapters.file_store import FileStore
from trainer.ports import PreconditionFailed

store, wins, number = FileStore(Path(sys.argv[1])), 0, 0
while number < 30:
    try:
        store.put(f"race/{number}", sys.argv[2].encode(), if_absent=True)
        wins += 1
    except PreconditionFailed:
        pass
    found = store.get("counter")
    try:
        store.put("counter", b"%d" % (int(found.data) + 1), if_match=found.etag)
        number += 1
    except PreconditionFailed:
        continue
print(wins)
"""

WRITE_FOR_EVER: Final = """
import itertools, sys
from pathlib import Path
from trainer.adapters.file_store import FileStore

store = FileStore(Path(sys.argv[1]))
for number in itertools.count():
    data = bytes([number % 256]) * 300_000
    store.put("put", data)
    with store.open_write("stream") as stream:
        for start in range(0, len(data), 50_000):
            stream.write(data[start : start + 50_000])
    if number == 0:
        print("started", flush=True)
"""

KILL_AT_EVERY_LINE = '''
"""For each line that a write runs in the adapter: a process that is killed there, and a look at what is left."""
import os, signal, sys
from pathlib import Path
from trainer.adapters.file_store import FileStore
from trainer.ports import PreconditionFailed

root = Path(sys.argv[1])
FileStore(root).put("k", b"before")

def put(store):
    store.put("k", b"after" * 100)

def stream(store):
    with store.open_write("k") as writing:
        writing.write(b"after" * 100)

def create(store):
    store.put("new/k", b"after" * 100, if_absent=True)

def delete(store):
    store.delete("k")

def killed_at(line, use):
    """Run `use` in a process that is killed before its line of that number; whether it was."""
    child = os.fork()
    if child == 0:
        left = line
        def trace(frame, event, _):
            nonlocal left
            if "trainer/adapters/file_" not in frame.f_code.co_filename:
                return None
            if event == "line":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace
        sys.settrace(trace)
        use(FileStore(root))
        sys.settrace(None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)

for use, allowed in (
    (put, ({"k": b"before"}, {"k": b"after" * 100})),
    (stream, ({"k": b"before"}, {"k": b"after" * 100})),
    (create, ({"k": b"before"}, {"k": b"before", "new/k": b"after" * 100})),
    (delete, ({"k": b"before"}, {})),
):
    seen, line = [], 1
    while killed_at(line, use):
        store = FileStore(root)
        objects = {info.key: store.get(info.key).data for info in store.list("")}
        assert objects in allowed, (use.__name__, line, objects)
        seen.append(allowed.index(objects))
        store.delete("new/k")               # also: no lock of the dead process is in the way
        store.put("k", b"before")
        for left_over in store._staging.iterdir():
            left_over.unlink()              # or looking through them would take ever more lines
        line += 1
    assert seen == sorted(seen) and set(seen) == {0, 1}, (use.__name__, seen)
    FileStore(root).delete("new/k")
    FileStore(root).put("k", b"before")
    print(use.__name__, line)
'''


@contextmanager
def running(script: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The script in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_processes_lose_no_update_and_create_nothing_twice(store: FileStore) -> None:
    store.put("counter", b"0")

    with ExitStack() as stack:
        processes = [stack.enter_context(running(COUNT, store._root, str(number))) for number in range(3)]
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3
    assert store.get("counter").data == b"90"
    assert sum(map(int, outputs)) == 30
    wins = [store.get(f"race/{number}").data.decode() for number in range(30)]
    assert [wins.count(str(number)) for number in range(3)] == [int(output) for output in outputs]


def test_a_process_killed_while_it_writes_leaves_whole_objects(store: FileStore) -> None:
    for number in range(5):
        with running(WRITE_FOR_EVER, store._root) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            time.sleep(0.007 * number)
        for key in ("put", "stream"):
            found = store.get(key)
            assert len(found.data) == 300_000
            assert len(set(found.data)) == 1
            store.put(key, found.data, if_match=found.etag)
    assert [info.key for info in store.list("")] == ["put", "stream"]


def test_killed_at_any_line_it_has_written_all_or_nothing(store: FileStore) -> None:
    with running(KILL_AT_EVERY_LINE, store._root) as process:
        output = process.communicate(timeout=200)[0]
    assert process.returncode == 0
    lines = dict(line.split() for line in output.splitlines())
    assert lines.keys() == {"put", "stream", "create", "delete"}
    assert all(int(count) > 15 for count in lines.values())


def test_everything_is_on_the_disk_when_put_returns(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No crash of the machine can be staged here: what is checked is that each thing was synced, and in order."""
    done: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{fd}").readlink().relative_to(store._root.resolve().parent)))
        real_fsync(fd)

    def replace(path: Path, target: Path) -> Path:
        done.append("renamed")
        return real_replace(path, target)

    store.ping()
    monkeypatch.setattr("trainer.adapters.file_objects.os.fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    store.put("a/b", b"x")
    staged, renamed, *directories = done
    assert staged.startswith("store/staging/")
    assert renamed == "renamed"
    assert directories == ["store/objects/d.a", "store/objects", "store"]
