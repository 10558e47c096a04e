"""Lists jobs that were given up, and repeats them: `python -m interactions.dead`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from interactions.jobs import MalformedJob, unpack
from trainer import bootstrap
from trainer.configuration import ConfigurationError
from trainer.ports import QueueUnavailable

if TYPE_CHECKING:
    from trainer.ports import DeadJob, JobQueue


def main(arguments: list[str] | None = None) -> int:
    """List or repeat; 1 if a job that was named is not there, 2 if it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m interactions.dead", description="Jobs that were given up.")
    parser.add_argument("--redrive", metavar="ID", action="append", default=[], help="do this one again")
    parser.add_argument("--redrive-all", action="store_true", help="do all of them again")
    parser.add_argument("--limit", type=int, default=100, help="how many to list or repeat (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        queue = bootstrap.make_queue(bootstrap.configure())
        if options.redrive or options.redrive_all:
            ids = options.redrive or [job.id for job in queue.dead(limit=options.limit)]
            return _redrive(queue, ids)
        jobs = queue.dead(limit=options.limit)
    except (ConfigurationError, QueueUnavailable) as error:
        print(f"trainger: {error}", file=sys.stderr)
        return 2
    for job in jobs:
        print(_line(job))
    if not jobs:
        print("There are no dead letters.")
    return 0


def _redrive(queue: JobQueue, ids: list[str]) -> int:
    missing = [job_id for job_id in ids if not queue.redrive(job_id)]
    print(f"{len(ids) - len(missing)} of {len(ids)} will be done again.")
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
