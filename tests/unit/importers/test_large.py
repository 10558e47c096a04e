"""Files as large as are accepted, in bounded memory."""

from __future__ import annotations

import csv
import json
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from trainer.importers import Example, FileRefusal, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEAK_BYTES = 4 << 20
"""Less than any of the files that are read here, of which the larger ones have 10 MiB."""


def rows(count: int) -> Iterator[tuple[str, str]]:
    for number in range(count):
        yield (
            f"How do I reset the password of account {number}?",
            f"Open the page, press «Забыли пароль», wait for letter {number} and follow its link. {'-' * 40}",
        )


def write(path: Path, kind: str, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        if kind == "csv":
            writer = csv.writer(file)
            writer.writerow(("question", "answer"))
            writer.writerows(rows(count))
        elif kind == "txt":
            file.writelines(f"Q: {question}\nA: {answer}\n\n" for question, answer in rows(count))
        else:
            file.write("[" if kind == "json" else "")
            end = "," if kind == "json" else "\n"
            for question, answer in rows(count):
                file.write(json.dumps({"question": question, "answer": answer}, ensure_ascii=False) + end)
            file.write("{}]" if kind == "json" else "")


@pytest.mark.parametrize(
    ("kind", "rows_there"), [("csv", 50_000), ("jsonl", 50_000), ("json", 25_000), ("txt", 25_000)]
)
def test_large_files(tmp_path: Path, kind: str, rows_there: int) -> None:
    path = tmp_path / "upload"
    write(path, kind, rows_there)
    assert path.stat().st_size > PEAK_BYTES
    count = 0
    tracemalloc.start()
    try:
        for item, expected in zip(read_file(path, f"faq.{kind}"), rows(rows_there), strict=False):
            assert isinstance(item, Example)
            assert (item.question, item.answer) == expected
            count += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == rows_there
    assert peak < PEAK_BYTES


@pytest.mark.parametrize("filling", ["x", '"', "[", "{", ",", ".", "\n", '{"a":"', "Q: a ", "\\", "`", "1 "])
@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.csv", "x.txt"])
def test_much_of_the_same(tmp_path: Path, filling: str, name: str) -> None:
    path = tmp_path / "upload"
    path.write_text("question,answer\n" * (name == "x.csv") + filling * ((1 << 18) // len(filling)))
    tracemalloc.start()
    try:
        with suppress(FileRefusal):
            for _ in read_file(path, name):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < PEAK_BYTES
