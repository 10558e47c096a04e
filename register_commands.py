"""Registers the commands with Discord: what is defined in `interactions/commands` becomes what people can type.

Exit codes: 0 done, or equal; 1 they differ (`--check`); 2 it could not be done, and why is on stderr.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from interactions.discord_api import DiscordApi, DiscordError
from interactions.registration import compare, to_write
from interactions.registry import registry
from trainer.bootstrap import configure
from trainer.configuration import ConfigurationError

if TYPE_CHECKING:
    from interactions.registration import Change
    from trainer.configuration import Configuration


def main(arguments: list[str] | None = None) -> int:
    """Compare, tell, and write what differs."""
    parser = argparse.ArgumentParser(description="Registers Trainger's commands with Discord.")
    parser.add_argument("--guild", metavar="ID", help="register for one server only: there they change at once")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if Discord's differ")
    options = parser.parse_args(arguments)
    try:
        configuration = configure()
        api = _api(configuration)
        have = api.get_commands(options.guild)
    except (ConfigurationError, DiscordError) as error:
        return _failed(error)
    want = registry().definitions()
    changes = compare(have, want)
    where = f"server {options.guild}" if options.guild else "all servers"
    if not changes:
        print(f"Discord has the same {len(want)} commands for {where}; nothing to write.")
        return 0
    print(_diff(changes))
    if options.check or options.dry_run:
        print(f"{len(changes)} of {len(want)} commands differ for {where}; nothing was written.")
        return 1 if options.check else 0
    try:
        api.overwrite_commands(to_write(have, want), options.guild)
    except DiscordError as error:
        return _failed(error)
    print(f"Registered {len(want)} commands for {where}.")
    return 0


def _api(configuration: Configuration) -> DiscordApi:
    if not configuration.token or not configuration.application_id:
        raise ConfigurationError("DISCORD_TOKEN and DISCORD_APPLICATION_ID are needed to register commands")
    return DiscordApi(configuration.api_base_url, configuration.application_id, configuration.token)


def _diff(changes: list[Change]) -> str:
    lines = []
    for change in changes:
        lines.append(f"{change.sign} {change.command}")
        lines.extend(f"    {detail}" for detail in change.details)
    return "\n".join(lines)


def _failed(error: Exception) -> int:
    print(f"register_commands: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
