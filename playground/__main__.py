"""The command line: `serve` runs a playground, anything else is sent to a running one."""

from __future__ import annotations

import sys


def main() -> int:
    """Run; returns the exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["serve"]:
        from playground.cli_serve import main as serve  # noqa: PLC0415 - sending needs no server

        return serve(arguments[1:])
    from playground.cli_send import main as send  # noqa: PLC0415 - and serving no client

    return send(arguments)


if __name__ == "__main__":
    sys.exit(main())
