"""What the functions' packages leave out of the wheels, and why. Pure, but for `trim`, which deletes.

Lambda takes 250 MB unpacked, and each file costs time at a cold start.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
from typing import TYPE_CHECKING, Final, NamedTuple

from infra.elf import stripped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DISTRIBUTIONS: Final[Mapping[str, str]] = {
    "blinker": "Flask's signals",
    "docopt": "the command line of num2words",
    "flask": "functions get their requests from Lambda",
    "waitress": "as above",
    "werkzeug": "as above",
}
"""Not installed at all."""

FOLDERS: Final[Mapping[str, str]] = {
    "*/tests": "tests of libraries",
    "*/test": "the same",
    "bin": "command lines of libraries",
    "boto3/data": "resources: we use clients",
    "boto3/examples": "documentation",
    "lxml/html": "HTML is not read; sacrebleu imports lxml.etree",
    "lxml/includes": "headers for compilers",
    "lxml/isoschematron": "a schema language",
    "numpy/f2py": "makes extensions of Fortran",
}
FILES: Final[Mapping[str, str]] = {
    "*.a": "for linkers",
    "*.c": "for compilers",
    "*.h": "for compilers",
    "*.pxd": "for Cython",
    "*.pyx": "for Cython",
    "*.pyi": "for type checkers",
    "*/py.typed": "for type checkers",
    "*.dist-info/RECORD": "for installers, and names what is not here any more",
    "*.dist-info/INSTALLER": "for installers",
    "*.dist-info/REQUESTED": "for installers",
    "*.dist-info/uv_cache.json": "for installers",
    "lxml/objectify.*": "another interface to XML",
    "PIL/_avif.*": "a format that is neither read nor written; Pillow does without",
    "pillow.libs/libavif-*": "as above",
    "rapidfuzz/*_avx2.*": "the same again for some processors, a fifth of what acknowledging would weigh",
    "*.po": "the texts that .mo files were made of",
    ".lock": "of the installer",
}
SERVICES: Final = "botocore/data"
"""botocore describes each of AWS's four hundred services in a folder: a function needs those that it calls."""

_ENTRY: Final = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?==", re.MULTILINE)


class Trimmed(NamedTuple):
    """What trimming saved, in bytes."""

    files: int
    sections: int


def without(requirements: str, left_out: Mapping[str, str] = DISTRIBUTIONS) -> str:
    """A locked requirements file without some distributions. Raises ValueError for a file of another form."""
    entries = list(_ENTRY.finditer(requirements))
    if not entries:
        raise ValueError("not a locked requirements file")
    ends = [entry.start() for entry in entries[1:]] + [len(requirements)]
    kept = [
        requirements[entry.start() : end]
        for entry, end in zip(entries, ends, strict=True)
        if _normal(entry["name"]) not in left_out
    ]
    return requirements[: entries[0].start()] + "".join(kept)


def names(requirements: str) -> set[str]:
    """The distributions that a locked requirements file names."""
    return {_normal(entry["name"]) for entry in _ENTRY.finditer(requirements)}


def is_left_out(path: str, *, services: frozenset[str]) -> bool:
    """Whether a file of a package, by its path in it, is left out.

    Args:
        path: with `/` between its parts.
        services: those of AWS's that the function calls, as botocore calls them.
    """
    if path.startswith(f"{SERVICES}/"):
        service, slash, _ = path.removeprefix(f"{SERVICES}/").partition("/")
        return bool(slash) and service not in services
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    if any(fnmatch.fnmatchcase(folder, pattern) for folder in above for pattern in FOLDERS):
        return True
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in FILES)


def trim(folder: Path, *, services: frozenset[str]) -> Trimmed:
    """Delete what is left out of a package's folder, and strip its shared libraries."""
    files = sections = 0
    for path in list(_files(folder)):
        if is_left_out(path.relative_to(folder).as_posix(), services=services):
            files += path.stat().st_size
            path.unlink()
        elif ".so" in path.suffixes:
            data = path.read_bytes()
            less = stripped(data)
            sections += len(data) - len(less)
            if len(less) < len(data):
                # A new file: the installer may have linked this one to its cache.
                path.unlink()
                path.write_bytes(less)
    for empty in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(empty.iterdir()):
            shutil.rmtree(empty)
    return Trimmed(files, sections)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
