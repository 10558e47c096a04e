"""`python -m trainer.evaluation`: see `docs/evaluation.md`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from trainer.evaluation.command_line import parse
from trainer.evaluation.console.session import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNALLED: Final = 128
"""What shells add to the number of the signal that ended a process."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, test, show; the exit code."""
    return evaluate(parse(sys.argv[1:] if arguments is None else arguments, os.environ), os.environ)


if __name__ == "__main__":
    code = main()
    if code > SIGNALLED:
        # A model may still be answering a case, and nobody waits for that.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
