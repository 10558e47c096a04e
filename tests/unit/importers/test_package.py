from __future__ import annotations

import subprocess
import sys

import pytest

from trainer import importers
from trainer.importers import FileRefusal, RefusalReason


def test_importing_loads_no_library_for_a_format_that_is_not_there() -> None:
    code = "import sys, trainer.importers; print({'pypdf', 'charset_normalizer', 'ijson'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "set()\n"


@pytest.mark.parametrize("name", importers.__all__)
def test_public_names(name: str) -> None:
    assert getattr(importers, name) is not None


def test_a_refusal_says_what_it_is() -> None:
    assert str(FileRefusal(RefusalReason.UNSUPPORTED, "xlsx")) == "the file is refused: unsupported (xlsx)"
    assert str(FileRefusal(RefusalReason.EMPTY)) == "the file is refused: empty"
