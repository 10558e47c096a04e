"""What packages leave out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from infra import trimming

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[3]
S3: Final = frozenset({"s3"})
LOCKED: Final = """\
boto3==1.43.106 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r requirements/base.in
docopt==0.6.2 \\
    --hash=sha256:cc
    # via num2words
Flask[async]==3.1.3 ; python_version >= "3.11" \\
    --hash=sha256:dd
num2words==0.5.14 \\
    --hash=sha256:ee
"""


def test_distributions_are_left_out_with_their_hashes() -> None:
    kept = trimming.without(LOCKED)

    assert trimming.names(kept) == {"boto3", "num2words"}
    assert "sha256:cc" not in kept
    assert "sha256:dd" not in kept
    assert kept.startswith("boto3==1.43.106 \\\n    --hash=sha256:aa")
    assert kept.endswith("sha256:ee\n")


def test_a_file_that_is_not_locked_is_refused() -> None:
    with pytest.raises(ValueError, match="not a locked requirements file"):
        trimming.without("boto3>=1\n")


def test_everything_that_is_left_out_is_there() -> None:
    # A name that is not required any more must not stay in the list.
    assert set(trimming.DISTRIBUTIONS) <= trimming.names((ROOT / "requirements.txt").read_text())


def test_acknowledging_has_the_versions_that_all_else_has() -> None:
    everything = (ROOT / "requirements.txt").read_text().splitlines()
    for line in (ROOT / "requirements" / "ack.txt").read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            assert line.split(" ")[0] in {each.split(" ")[0] for each in everything}


@pytest.mark.parametrize(
    "path",
    [
        "numpy/_core/tests/test_api.py",
        "numpy/f2py/__init__.py",
        "bin/flask",
        "av/audio/frame.pxd",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/sqs/2012-11-05/service-2.json.gz",
        "boto3/data/s3/2006-03-01/resources-1.json",
        "msgspec-0.22.0.dist-info/RECORD",
        "lxml/objectify.cpython-313-aarch64-linux-gnu.so",
        "rapidfuzz/distance/metrics_cpp_avx2.cpython-313-x86_64-linux-gnu.so",
        "trainer/locale/ru/LC_MESSAGES/trainger.po",
    ],
)
def test_left_out(path: str) -> None:
    assert trimming.is_left_out(path, services=S3)


@pytest.mark.parametrize(
    "path",
    [
        "interactions/commands/test.py",
        "trainer/evaluation/regression.py",
        "trainer/evaluation/report/page/page.html.j2",
        "trainer/locale/ru/LC_MESSAGES/trainger.mo",
        "numpy/testing/__init__.py",
        "numpy/__init__.py",
        "botocore/data/endpoints.json",
        "botocore/data/s3/2006-03-01/service-2.json.gz",
        "botocore/cacert.pem",
        "lxml/etree.cpython-313-aarch64-linux-gnu.so",
        "rapidfuzz/distance/metrics_cpp.cpython-313-x86_64-linux-gnu.so",
        "msgspec-0.22.0.dist-info/METADATA",
        "msgspec-0.22.0.dist-info/licenses/LICENSE",
    ],
)
def test_kept(path: str) -> None:
    assert not trimming.is_left_out(path, services=S3)


def test_nothing_of_ours_is_left_out_but_what_translations_were_made_of() -> None:
    def ours() -> Iterable[str]:
        for room in ("interactions", "trainer"):
            for path in (ROOT / room).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield path.relative_to(ROOT).as_posix()

    assert {Path(path).suffix for path in ours() if trimming.is_left_out(path, services=S3)} <= {".po"}


def test_trimming_a_folder(tmp_path: Path) -> None:
    for name in ("kept/__init__.py", "kept/tests/test_it.py", "kept/deep/tests/data/x.bin", "kept/it.pyi"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")

    trimmed = trimming.trim(tmp_path, services=S3)

    assert trimmed == (15, 0)
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "kept",
        "kept/__init__.py",
    ]
