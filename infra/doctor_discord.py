"""The doctor's questions to Discord: the application, what it is told, the servers, the commands."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests

from infra.doctor_findings import Aside, Broken, Check, shown
from interactions.discord_api import USER_AGENT
from interactions.discord_session import new_session, unauthorized
from interactions.registration import compare
from interactions.registry import registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainer.configuration import Configuration

TIMEOUT_S: Final = 10.0
PORTAL: Final = "https://discord.com/developers/applications"
ADMINISTRATOR: Final = 1 << 3
WRITING: Final[Mapping[str, int]] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Send Messages in Threads": 1 << 38,
    "Attach Files": 1 << 15,
}
"""Replies to commands need none; an answer that took longer than a quarter of an hour is a message in the channel."""
TALKING: Final[Mapping[str, int]] = {"Connect": 1 << 20, "Speak": 1 << 21, "Use Voice Activity": 1 << 25}
"""By the names that Discord's settings show."""
EVENTS: Final = frozenset({"APPLICATION_AUTHORIZED", "APPLICATION_DEAUTHORIZED"})
EVENTS_ON: Final = 2
SERVERS_A_PAGE: Final = 200
PAGES_MOST: Final = 5
NAMED_MOST: Final = 5


def invite(application_id: str, *, voice: bool) -> str:
    """The link by which a server's manager lets the bot in, with all that it may need there."""
    wanted = sum(WRITING.values()) + (sum(TALKING.values()) if voice else 0)
    query = f"client_id={application_id}&scope=bot+applications.commands&permissions={wanted}"
    return f"https://discord.com/oauth2/authorize?{query}"


class Discord:
    """Discord's REST, or the playground's, as far as the doctor asks it.

    Args:
        configuration: who the bot is.
        base: where the endpoint is, without `/interactions`.
    """

    def __init__(self, configuration: Configuration, base: str) -> None:
        self._configuration = configuration
        self._base = base
        self._session = new_session()
        self._application: dict[str, Any] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def checks(self) -> list[Check]:
        """What is to be asked, in the order in which one failing explains the next."""
        return [
            Check("application", self.application),
            Check("events", self.events),
            Check("servers", self.servers),
            Check("commands", self.commands),
            Check("invite", self.invite),
        ]

    def application(self) -> str:
        """Whether token, id and key belong together, and Discord sends interactions to this endpoint."""
        given = self._configuration
        if not given.token:
            raise Broken(f"DISCORD_TOKEN is not set here. {PORTAL} shows it under Bot → Reset Token.")
        found = self._get("/applications/@me")
        if not isinstance(found, dict):
            raise Broken("that is not Discord's answer. Is DISCORD_API_BASE_URL right?")
        name, own = shown(found.get("name")), shown(found.get("id"))
        self._application = found
        if given.application_id != own:
            raise Broken(f"the token is that of “{name}”, whose DISCORD_APPLICATION_ID is {own}: take both from one")
        if given.public_key.lower() != str(found.get("verify_key")).lower():
            raise Broken(f"DISCORD_PUBLIC_KEY is not that of “{name}”: copy it from General Information in {PORTAL}")
        wanted, entered = f"{self._base}/interactions", found.get("interactions_endpoint_url")
        if not entered:
            raise Broken(
                f"no Interactions Endpoint URL is entered. Enter {wanted} in General Information in {PORTAL}"
            )
        if _same(str(entered)) != _same(wanted):
            raise Broken(f"Discord sends interactions to {shown(entered)}. If that is not it, enter {wanted}")
        return f"“{name}” ({own}), whose interactions Discord sends here"

    def events(self) -> str:
        """Whether Discord tells when somebody uninstalls the bot."""
        found = self._known()
        if self._configuration.local:
            raise Aside("the playground sends none")
        wanted, entered = f"{self._base}/events", found.get("event_webhooks_url")
        kinds = {*(found.get("event_webhooks_types") or ())}
        here = bool(entered) and _same(str(entered)) == _same(wanted)
        if not (here and found.get("event_webhooks_status") == EVENTS_ON and kinds >= EVENTS):
            raise Aside(
                "Discord does not tell when somebody uninstalls the bot, so what is theirs would stay. Under "
                f"Webhooks, enter {wanted}, switch events on, and choose Application Authorized and Deauthorized."
            )
        return "Discord tells when somebody uninstalls the bot"

    def servers(self) -> str:
        """What the bot may do in the servers that it is in, as their roles say; channels may differ."""
        self._known()
        if self._configuration.local:
            raise Aside("the playground has one, which lets the bot do all that it asks")
        servers = self._servers()
        if not servers:
            raise Aside("the bot is in none yet: the link below lets it in")
        lacking = {shown(one.get("id")): missing for one in servers if (missing := self._missing(one))}
        if lacking:
            some = "; ".join(
                f"{server} lacks {', '.join(names)}" for server, names in [*lacking.items()][:NAMED_MOST]
            )
            more = len(lacking) - NAMED_MOST
            rest = f" and {more} more" if more > 0 else ""
            raise Broken(
                f"{some}{rest}. Give the bot's role these permissions, or invite it again by the link below."
            )
        return f"enough permissions in {'the first ' if self._full(servers) else 'all '}{len(servers)}"

    def commands(self) -> str:
        """Whether what people can type is what this version has."""
        self._known()
        path = f"/applications/{self._configuration.application_id}/commands?with_localizations=true"
        have, want = self._get_list(path), registry().definitions()
        changes = compare(have, want)
        if changes:
            some = ", ".join(f"{change.sign} {shown(change.command)}" for change in changes[:NAMED_MOST])
            rest = ", …" if len(changes) > NAMED_MOST else ""
            raise Broken(f"{len(changes)} differ ({some}{rest}). Register them: python register_commands.py")
        return f"the {len(want)} of this version are registered"

    def invite(self) -> str:
        """The link that lets the bot in."""
        if not self._configuration.application_id:
            raise Aside("needs DISCORD_APPLICATION_ID")
        if self._configuration.local:
            raise Aside("the playground needs none")
        return invite(self._configuration.application_id, voice=self._configuration.voice.enabled)

    def _known(self) -> dict[str, Any]:
        if self._application is None:
            raise Aside("not looked at: see `application`")
        return self._application

    def _missing(self, server: Mapping[str, Any]) -> list[str]:
        """What a server does not give; a partial guild's `permissions` is a bit set."""
        text = str(server.get("permissions", ""))
        bits = int(text) if text.isascii() and text.isdigit() else 0
        if bits & ADMINISTRATOR:
            return []
        wanted = {**WRITING, **(TALKING if self._configuration.voice.enabled else {})}
        return [name for name, bit in wanted.items() if not bits & bit]

    def _servers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not found or (len(found) % SERVERS_A_PAGE == 0 and not self._full(found)):
            after = f"&after={found[-1].get('id')}" if found else ""
            page = self._get_list(f"/users/@me/guilds?limit={SERVERS_A_PAGE}{after}")
            if not page:
                break
            found += page
        return found

    @staticmethod
    def _full(servers: Sequence[object]) -> bool:
        return len(servers) >= SERVERS_A_PAGE * PAGES_MOST

    def _get_list(self, path: str) -> list[dict[str, Any]]:
        found = self._get(path)
        if not isinstance(found, list):
            raise Broken("that is not Discord's answer. Is DISCORD_API_BASE_URL right?")
        return [one for one in found if isinstance(one, dict)]

    def _get(self, path: str) -> object:
        if not re.fullmatch(r"[\x21-\x7e]+", self._configuration.token):
            raise Broken("DISCORD_TOKEN has characters that no token has. Copy it again.")
        try:
            answer = self._session.get(
                self._configuration.api_base_url.rstrip("/") + path,
                headers={"Authorization": f"Bot {self._configuration.token}", "User-Agent": USER_AGENT},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                auth=unauthorized,
            )
        except requests.RequestException as error:
            raise Broken(
                f"Discord cannot be reached ({type(error).__name__}). Is there a way out to DISCORD_API_BASE_URL?"
            ) from None
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise Broken(f"Discord refuses the token. Reset it under Bot in {PORTAL}, and set DISCORD_TOKEN.")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Broken("Discord asks for patience: try again in a minute.")
        if answer.status_code != HTTPStatus.OK:
            raise Broken(f"Discord answers {answer.status_code} to {path.partition('?')[0]}.")
        try:
            found: object = answer.json()
        except ValueError:
            raise Broken("that is not Discord's answer. Is DISCORD_API_BASE_URL right?") from None
        return found


def _same(url: str) -> str:
    """A URL in the form in which two for the same place are equal."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = parts.netloc.lower().replace("localhost", "127.0.0.1")
    return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), parts.query, ""))
