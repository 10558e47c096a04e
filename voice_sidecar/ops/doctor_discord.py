"""The doctor's questions to Discord: the token, the gateway, what the bot may do in its servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import requests

from voice_sidecar.ops.doctor import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

USER_AGENT: Final = "DiscordBot (https://github.com/trainger/trainger, 1)"
TIMEOUT_S: Final = 10.0
ADMINISTRATOR: Final = 1 << 3
PERMISSIONS: Final[Mapping[str, int]] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Connect": 1 << 20,
    "Speak": 1 << 21,
}
"""What voice needs, by the names that Discord's settings show."""
INVITED_WITH: Final = 274_914_642_944
"""What the invite link asks for: this, and what answers in text need, as `infra.doctor` has it."""
SERVERS_NAMED: Final = 5


class Discord:
    """Discord's REST, as far as the doctor asks it.

    Args:
        base_url: such as `https://discord.com/api/v10`.
        token: the bot's.
        application_id: for the invite link.
    """

    def __init__(self, base_url: str, token: str, application_id: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._application_id = application_id

    def token(self) -> str:
        """Whether the token is one."""
        if not self._token:
            raise Broken("DISCORD_TOKEN is not set. The developer portal shows it under Bot → Reset Token.")
        me = self._get("/users/@me")
        own = str(me.get("id", ""))
        if self._application_id and own != self._application_id:
            # An application's bot has the application's id, but for applications from before 2016.
            return f"answers; the bot's id is {own}, the application's {self._application_id}"
        return f"answers as {own}"

    def gateway(self) -> str:
        """Where the gateway is, and whether a session may be begun."""
        found = self._get("/gateway/bot")
        url = str(found.get("url", ""))
        if not url.startswith(("wss://", "ws://")):
            raise Broken("Discord names no gateway. Is DISCORD_API_BASE_URL right?")
        limit = found.get("session_start_limit") or {}
        if limit.get("remaining") == 0:
            seconds = int(limit.get("reset_after", 0)) // 1000
            raise Broken(
                f"no more sessions may be begun today; that ends in {seconds} s. Did something restart often?"
            )
        return f"{url}, {found.get('shards', 1)} shard(s) recommended, {limit.get('remaining', '?')} sessions left"

    def intents(self) -> str:
        """Only intents that need nobody's permission are used, so there is nothing to switch on."""
        self._get("/applications/@me")
        return "GUILDS and GUILD_VOICE_STATES, neither of which is privileged"

    def permissions(self) -> str:
        """What the bot may do in the servers that it is in, as their roles say; channels may differ."""
        servers = self._get_list("/users/@me/guilds")
        if not servers:
            raise Broken(f"the bot is in no server. Invite it: {self.invite()}")
        lacking = {str(server.get("id")): missing for server in servers if (missing := missing_in(server))}
        if lacking:
            some = "; ".join(f"{server} lacks {', '.join(names)}" for server, names in list(lacking.items())[:5])
            more = len(lacking) - SERVERS_NAMED
            rest = f" and {more} more" if more > 0 else ""
            raise Broken(f"{some}{rest}. Give the bot's role these permissions, or invite it again: {self.invite()}")
        return f"enough in all of {len(servers)} server(s); invite link: {self.invite()}"

    def invite(self) -> str:
        """The link by which a server's manager lets the bot in, with what voice needs."""
        return (
            f"https://discord.com/oauth2/authorize?client_id={self._application_id}"
            f"&scope=bot+applications.commands&permissions={INVITED_WITH}"
        )

    def _get(self, path: str) -> dict[str, Any]:
        found = self._ask(path)
        if not isinstance(found, dict):
            raise Broken(f"{path} answers something else than Discord would. Is DISCORD_API_BASE_URL right?")
        return found

    def _get_list(self, path: str) -> list[dict[str, Any]]:
        found = self._ask(path)
        if not isinstance(found, list):
            raise Broken(f"{path} answers something else than Discord would. Is DISCORD_API_BASE_URL right?")
        return [one for one in found if isinstance(one, dict)]

    def _ask(self, path: str) -> object:
        if not self._token:
            raise Broken("cannot be asked without DISCORD_TOKEN.")
        headers = {"Authorization": f"Bot {self._token}", "User-Agent": USER_AGENT}
        try:
            answer = requests.get(self._base_url + path, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise Broken(
                f"Discord cannot be reached ({type(error).__name__}). Is there a way out to DISCORD_API_BASE_URL?"
            ) from None
        if answer.status_code == requests.codes.unauthorized:
            raise Broken("Discord refuses the token. Reset it in the developer portal, and set DISCORD_TOKEN.")
        if answer.status_code == requests.codes.too_many_requests:
            raise Broken("Discord asks for patience: try again in a minute.")
        if not answer.ok:
            raise Broken(f"Discord answers {answer.status_code} to {path}.")
        try:
            return answer.json()
        except ValueError:
            raise Broken(f"{path} answers no JSON. Is DISCORD_API_BASE_URL right?") from None


def missing_in(server: Mapping[str, Any]) -> list[str]:
    """The permissions that voice needs and a server does not give; a partial guild's `permissions` is a bit set."""
    text = str(server.get("permissions", ""))
    bits = int(text) if text.isascii() and text.isdigit() else 0
    if bits & ADMINISTRATOR:
        return []
    return [name for name, bit in PERMISSIONS.items() if not bits & bit]


def questions(discord: Discord) -> Iterable[tuple[str, Callable[[], str]]]:
    """The checks, in the order in which one failing explains the next."""
    return (
        ("token", discord.token),
        ("gateway", discord.gateway),
        ("intents", discord.intents),
        ("permissions", discord.permissions),
    )
