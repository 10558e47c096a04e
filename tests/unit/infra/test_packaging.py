"""What packaging says, and that it fails where a package is too large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra import packaging
from infra.trimming import Trimmed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MB = 1_000_000


def builds(sizes: dict[str, tuple[int, int]]) -> Callable[..., packaging.Built]:
    def build(name: str, machine: str, *, python: str, out: Path) -> packaging.Built:
        zipped, unpacked = sizes[name]
        return packaging.Built(out / f"{name}-{machine}.zip", zipped, unpacked, Trimmed(3 * MB, 2 * MB))

    return build


def test_sizes_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(packaging, "build", builds({"ack": (8 * MB, 20 * MB), "work": (100 * MB, 230 * MB)}))

    assert packaging.main(["--machine", "x86_64"]) == 0

    assert capsys.readouterr().out == (
        "ack-x86_64.zip: 8.0 MB, unpacked 20.0 MB (left out 3.0 MB of files, 2.0 MB of sections)\n"
        "work-x86_64.zip: 100.0 MB, unpacked 230.0 MB (left out 3.0 MB of files, 2.0 MB of sections)\n"
    )


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({"ack": (8 * MB + 100_000, MB), "work": (MB, MB)}, "ack: 8.1 MB zipped, at most 8.0 MB"),
        ({"ack": (MB, 41 * MB), "work": (MB, MB)}, "ack: 41.0 MB unpacked, at most 40.0 MB"),
        ({"ack": (MB, MB), "work": (121 * MB, MB)}, "work: 121.0 MB zipped, at most 120.0 MB"),
        ({"ack": (MB, MB), "work": (MB, 240 * MB)}, "work: 240.0 MB unpacked, at most 235.9 MB"),
    ],
)
def test_a_package_that_is_too_large_fails(
    sizes: dict[str, tuple[int, int]],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(packaging, "build", builds(sizes))

    assert packaging.main([]) == 1

    said = capsys.readouterr()
    assert said.err == f"{complaint}\n"
    # All are made and told of all the same.
    assert said.out.count("-arm64.zip: ") == len(packaging.PACKAGES)


def test_there_is_room_below_the_platforms_limits() -> None:
    assert packaging.PACKAGES["ack"].zipped_most == 8 * MB
    assert packaging.PACKAGES["work"].unpacked_most < 0.91 * 250 * 1024 * 1024


def test_what_goes_wrong_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def build(name: str, machine: str, *, python: str, out: Path) -> packaging.Built:
        raise packaging.PackagingFailed("no Python 3.13 here")

    monkeypatch.setattr(packaging, "build", build)

    assert packaging.main(["ack"]) == 1

    assert capsys.readouterr().err == "packaging ack: no Python 3.13 here\n"


@pytest.mark.parametrize("python", ["3", "3.13.1", "python3.13", "3.13; rm"])
def test_a_version_has_two_numbers(python: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        packaging.main(["--python", python])

    assert "--python wants a version such as 3.13" in capsys.readouterr().err
