"""`python -m bench [NAME…]`: runs the measurements; prints tables and writes `bench/results/<name>.json`.

A measurement is a module of this folder with a function `measure() -> bench.report.Result`. Modules with an
underscore in their name are the programs and parts of one, and are not looked at.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import pkgutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.report import as_json, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.report import Result

FOLDER: Final = Path(__file__).parent
RESULTS: Final = FOLDER / "results"


def measurements() -> dict[str, Callable[[], Result]]:
    """All measurements by name."""
    names = sorted(info.name for info in pkgutil.iter_modules([str(FOLDER)]) if "_" not in info.name)
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {name: module.measure for name, module in modules.items() if hasattr(module, "measure")}


def run(name: str, measure: Callable[[], Result]) -> bool:
    """Measure, show and keep the result; False if that failed, in which case an older result stays."""
    print(f"measuring {name} …", file=sys.stderr, flush=True)
    try:
        result = measure()
    except Exception:  # noqa: BLE001 - one that fails must not keep the others from running
        traceback.print_exc()
        return False
    print(as_text(name, result), flush=True)
    RESULTS.mkdir(exist_ok=True)
    kept = json.dumps(as_json(name, result, dt.datetime.now(dt.UTC)), indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(kept + "\n", encoding="utf-8")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all measurements ran, whether or not they met their aims; 1 when one failed; 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Trainger beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (default: everything)")
    parser.add_argument("--list", action="store_true", help="only list what can be measured")
    options = parser.parse_args(arguments)
    known = measurements()
    if options.list:
        print("\n".join(known))
        return 0
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    done = [run(name, known[name]) for name in options.names or known]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
