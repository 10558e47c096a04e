"""Links to files, from the secret to the download."""

from __future__ import annotations

import stat
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from interactions import core
from interactions.app import make_app
from interactions.call import AckCall
from interactions.commands.archive import suggest_folder
from interactions.delivery_of_files import LINK_MOST, size_text, with_file
from interactions.downloads import AT_ONCE
from interactions.file_choices import suggest_archive, suggest_file
from interactions.lookups import Lookups
from interactions.registry import registry
from tests import interactions_made as made
from trainer import bootstrap
from trainer.adapters.file_store import FileStore
from trainer.configuration import Configuration, ConfigurationError, read
from trainer.i18n import translator
from trainer.link_secret import kept_secret
from trainer.links import LinkedFile, NoFile
from trainer.ports import StoreUnavailable
from trainer.scope import Actor, Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

    from interactions.outbound import Choice
    from trainer.ports import JobQueue

KEY = "g42/archives/1-default.zip"
DATA = bytes(range(256)) * 4096


def configuration(tmp_path: Path, **changes: Any) -> Configuration:
    given = {"store": f"file:{tmp_path / 'store'}", "public_url": "https://bot.example.org/"} | changes
    return Configuration(**given)


def client_of(links: Callable[[str], LinkedFile]) -> FlaskClient:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(cast("Any", None)))
    return make_app(door, cast("JobQueue", None), dict, links=links).test_client()


def token_for(store: Any, *, expires_s: int = 60, filename: str = "default.zip") -> str:
    url = store.url(KEY, expires_s=expires_s, filename=filename)
    assert url.startswith("https://bot.example.org/files/")
    return str(url).rpartition("/")[2]


# --- the route ------------------------------------------------------------------------------------------------


def test_a_link_downloads_the_file(tmp_path: Path) -> None:
    given = configuration(tmp_path)
    store = bootstrap.make_store(given)
    store.put(KEY, DATA)
    client = client_of(bootstrap.make_links(given))
    token = token_for(store, filename="Правила «сервера».zip")
    response = client.get(f"/files/{token}")
    assert response.status_code == 200
    assert response.data == DATA
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''%D0%9F" in response.headers["Content-Disposition"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    head = client.head(f"/files/{token}")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(DATA)))


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    given = configuration(tmp_path)
    store = bootstrap.make_store(given)
    store.put(KEY, DATA)
    client = client_of(bootstrap.make_links(given))
    good = token_for(store)
    for token in ("x", good[:-1], f"{good}x", "%00", "..%2f..%2fetc", "a" * 5000):
        response = client.get(f"/files/{token}")
        assert (response.status_code, response.mimetype) == (404, "text/plain")
    assert client.get("/files/x").data == b"There is no file behind this link.\n"
    expired = client.get(f"/files/{token_for(store, expires_s=-1)}")
    assert expired.status_code == 410
    assert b"has expired" in expired.data
    assert expired.headers["Cache-Control"] == "no-store"
    store.delete(KEY)
    gone = client.get(f"/files/{good}")
    assert gone.status_code == 410
    assert b"deleted" in gone.data


def test_a_link_of_another_secret_or_store_is_none_of_ours(tmp_path: Path) -> None:
    other = bootstrap.make_store(configuration(tmp_path / "other"))
    token = token_for(other)
    for given in (configuration(tmp_path), configuration(tmp_path, link_secret="another secret than that")):
        bootstrap.make_store(given).put(KEY, DATA)
        assert client_of(bootstrap.make_links(given)).get(f"/files/{token}").status_code == 404


@pytest.mark.parametrize("changes", [{"store": "s3://bucket/prefix"}, {"public_url": ""}])
def test_without_links_of_ours_there_is_no_file(tmp_path: Path, changes: dict[str, str]) -> None:
    client = client_of(bootstrap.make_links(configuration(tmp_path, **changes)))
    assert client.get("/files/anything").status_code == 404


def test_a_few_downloads_go_on_at_a_time(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.put(KEY, DATA)
    client = client_of(lambda _: LinkedFile("attachment", len(DATA), lambda: store.open_read(KEY)))
    going = [client.get("/files/x", buffered=False) for _ in range(AT_ONCE)]
    busy = client.get("/files/x")
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "30"
    going[0].close()
    with closing(client.get("/files/x")) as again:
        assert again.data == DATA
    for response in going[1:]:
        response.close()


@pytest.mark.parametrize("where", ["look", "open"])
def test_a_store_that_does_not_answer_is_told_and_frees_its_place(where: str) -> None:
    def unavailable(*_: object) -> Any:
        raise StoreUnavailable("x")

    file = LinkedFile("attachment", 1, unavailable)
    client = client_of(unavailable if where == "look" else lambda _: file)
    for _ in range(AT_ONCE + 1):
        response = client.get("/files/x")
        assert response.status_code == 503
        assert b"does not answer" in response.data


def test_a_file_that_goes_between_look_and_opening(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    client = client_of(lambda _: LinkedFile("attachment", 1, lambda: store.open_read(KEY)))
    assert client.get("/files/x").status_code == 410


def test_no_file_says_why() -> None:
    assert NoFile("expired").reason == "expired"


# --- the secret and the settings ------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "link.secret"
    secrets: list[bytes] = []
    threads = [threading.Thread(target=lambda: secrets.append(kept_secret(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(secrets)) == 1
    assert len(secrets) == 8
    assert len(secrets[0]) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["link.secret"]


def test_a_damaged_secret_and_a_folder_that_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "link.secret"
    path.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="damaged"):
        kept_secret(path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="neither read nor made"):
        kept_secret(tmp_path / "file" / "link.secret")


def test_where_links_begin(tmp_path: Path) -> None:
    assert bootstrap.public_url(configuration(tmp_path)) == "https://bot.example.org/"
    assert (
        bootstrap.public_url(configuration(tmp_path, public_url="", local=True, port=8099)) == "http://127.0.0.1:8099"
    )
    assert bootstrap.public_url(configuration(tmp_path, public_url="")) == ""
    assert bootstrap.make_store(configuration(tmp_path, public_url="")).url(KEY, expires_s=1, filename="x") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAINGER_PUBLIC_URL", "bot.example.org"),
        ("TRAINGER_PUBLIC_URL", "ftp://bot.example.org"),
        ("TRAINGER_PUBLIC_URL", "https://bot.example.org/?a=b"),
        ("TRAINGER_PUBLIC_URL", "https://[bot"),
        ("TRAINGER_LINK_SECRET", "short"),
    ],
)
def test_settings_that_cannot_be(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read({name: value}, {})


def test_settings_that_can_be() -> None:
    given = read({"TRAINGER_PUBLIC_URL": "https://bot.example.org/a", "TRAINGER_LINK_SECRET": "x" * 16}, {})
    assert (given.public_url, given.link_secret) == ("https://bot.example.org/a", "x" * 16)


# --- by size --------------------------------------------------------------------------------------------------


def call(url: str | None, limit: int = 1000) -> Any:
    class Store:
        def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
            assert (key, filename) == (KEY, "a.zip")
            return url

    made_up: Any = type("Call", (), {})()
    made_up.t = translator("en")
    made_up.interaction = type("I", (), {"attachment_size_limit": limit})
    made_up.services = type("S", (), {"store": Store()})
    return made_up


def test_what_fits_is_attached() -> None:
    reply = with_file(call(None), "Here.", key=KEY, name="a.zip", size=1000)
    assert reply.content == "Here."
    assert [(file.name, file.key, file.content_type) for file in reply.files] == [("a.zip", KEY, "application/zip")]


def test_what_does_not_fit_becomes_a_link() -> None:
    reply = with_file(call("https://x/files/t"), "Here.", key=KEY, name="a.zip", size=1001)
    assert not reply.files
    assert "[a.zip](<https://x/files/t>)" in reply.content


def test_a_link_that_no_message_takes_goes_into_a_file() -> None:
    url = "https://x/" + "a" * LINK_MOST
    reply = with_file(call(url), "Here.", key=KEY, name="a.zip", size=1001)
    assert reply.files[0].data == url.encode()
    assert len(reply.content) < 500


def test_without_a_link_it_says_what_would_help() -> None:
    reply = with_file(call(None), "Here.", key=KEY, name="a.zip", size=20 << 20)
    assert "The file is 20 MB, and Discord takes at most 1000 B" in reply.content
    assert "TRAINGER_PUBLIC_URL" in reply.content


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (10 << 20, "10 MB"),
        (1536 << 20, "1.5 GB"),
        (5 << 40, "5120 GB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert size_text(translator("en"), size) == said


# --- look-ups -------------------------------------------------------------------------------------------------


def test_files_are_looked_up_in_the_store(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.put(KEY, DATA)
    lookups = Lookups(lambda: store)
    scope = Scope("guild", "42")
    assert [one.path for one in lookups.find_files(scope, "", files=True, most=5)] == ["archives/"]
    assert [one.name for one in lookups.find_files(scope, "archives/", files=True, most=5)] == ["default.zip"]
    assert lookups.find_files(scope, "archives/", files=False, most=5) == []


def test_a_store_that_fails_suggests_no_files() -> None:
    class Failing:
        def list(self, prefix: str, *, start_after: str = "") -> object:
            raise StoreUnavailable("x")

    assert Lookups(lambda: cast("Any", Failing())).find_files(Scope("guild", "42"), "", files=True, most=5) == []


# --- suggestions ----------------------------------------------------------------------------------------------


def typing(lookups: object, *, manager: bool = True) -> Any:
    actor = Actor(Scope("guild", "42"), "7", is_manager=manager)
    return AckCall(cast("Any", None), actor, translator("en"), None, cast("Any", lookups))


@pytest.fixture
def lookups(tmp_path: Path) -> Lookups:
    store = FileStore(tmp_path)
    store.put(KEY, DATA)
    store.put("g42/datasets/default/batches/1.json", b"{}")
    store.put(f"g42/originals/{'1' * 19}", DATA)
    store.put(f"g42/originals/{'1' * 19}-{'long' * 28}.csv", b"")
    store.put(f"g42/exports/{'e' * 120}.csv", DATA)
    return Lookups(lambda: store)


@pytest.mark.parametrize("suggest", [suggest_file, suggest_folder, suggest_archive])
def test_only_managers_are_told_what_there_is(lookups: Lookups, suggest: Callable[..., tuple[Choice, ...]]) -> None:
    assert suggest(typing(lookups, manager=False), "") == ()
    assert suggest(typing(object()), "") == ()
    assert suggest(typing(lookups), "") != ()


def test_choices_are_no_longer_than_discord_takes(lookups: Lookups) -> None:
    (upload,) = suggest_file(typing(lookups), "long")
    assert upload.value == f"originals/{'1' * 19}"
    assert len(upload.name) == 100
    assert "… · 20" in upload.name
    assert suggest_file(typing(lookups), "exports/") == ()  # its path is too long to be sent; it can be typed
    assert [choice.value for choice in suggest_folder(typing(lookups), "")] == ["datasets/", "exports/", "originals/"]


def test_archives_are_suggested_by_their_names(lookups: Lookups) -> None:
    (choice,) = suggest_archive(typing(lookups), "")
    assert choice.value == KEY.partition("/")[2]
    assert choice.name.startswith("archives/default.zip · ")
    for typed in ("defa", "archives/", "archives/defa", choice.name):
        assert suggest_archive(typing(lookups), typed) == (choice,)
    assert suggest_archive(typing(lookups), "exports/") == ()
    assert [one.value for one in suggest_archive(typing(lookups), "datasets/")] == ["datasets/default/"]
