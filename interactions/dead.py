"""Lists jobs that were given up, repeats them, and deletes them: `python -m interactions.dead`."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from interactions.forgetting import drop_dead_letters
from interactions.jobs import MalformedJob, unpack
from trainer import bootstrap
from trainer.configuration import ConfigurationError
from trainer.ports import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.configuration import Configuration
    from trainer.ports import DeadJob, JobQueue


def main(arguments: list[str] | None = None) -> int:
    """List, repeat or delete; 1 if a job that was named is not there, 2 if it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m interactions.dead", description="Jobs that were given up.")
    parser.add_argument("--redrive", metavar="ID", action="append", default=[], help="do this one again")
    parser.add_argument("--redrive-all", action="store_true", help="do all of them again")
    parser.add_argument("--discard", metavar="ID", action="append", default=[], help="delete this one")
    parser.add_argument(
        "--forgotten", action="store_true", help="delete those of people who asked to be forgotten since"
    )
    parser.add_argument("--limit", type=int, default=100, help="how many to list or repeat (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        configuration = bootstrap.configure()
        with closing(bootstrap.make_queue(configuration)) as queue:
            return _do(options, queue, configuration)
    except (ConfigurationError, Unavailable) as error:
        print(f"trainger: {error}", file=sys.stderr)
        return 2


def _do(options: argparse.Namespace, queue: JobQueue, configuration: Configuration) -> int:
    if options.discard:
        return _each(options.discard, queue.discard, "deleted")
    if options.forgotten:
        print(f"{drop_dead_letters(queue, bootstrap.make_store(configuration))} deleted.")
        return 0
    if options.redrive or options.redrive_all:
        ids = options.redrive or [job.id for job in queue.dead(limit=options.limit)]
        return _each(ids, queue.redrive, "will be done again")
    jobs = queue.dead(limit=options.limit)
    for job in jobs:
        print(_line(job))
    if not jobs:
        print("There are no dead letters.")
    return 0


def _each(ids: list[str], act: Callable[[str], bool], what: str) -> int:
    missing = [job_id for job_id in ids if not act(job_id)]
    print(f"{len(ids) - len(missing)} of {len(ids)} {what}.")
    for job_id in missing:
        print(f"There is no dead letter {job_id}.", file=sys.stderr)
    return 1 if missing else 0


def _line(job: DeadJob) -> str:
    """One job on one line, without anything that people wrote."""
    when = datetime.fromtimestamp(job.buried_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    try:
        interaction = f"interaction {unpack(job.body).id}"
    except MalformedJob:
        interaction = "no interaction"
    return f"{job.id}  {when}  {job.reason}  {interaction}"


if __name__ == "__main__":
    sys.exit(main())
