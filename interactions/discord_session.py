"""The `requests` session that talks to Discord, and what its failures tell."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError


def new_session() -> requests.Session:
    """A session that threads may share: nothing in it changes."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=32))
    return session


def unauthorized(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No authorisation; without this, `requests` would look for one in ~/.netrc."""
    return request


def never_sent(error: Exception) -> bool:
    """Whether the request cannot have reached Discord."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError)
