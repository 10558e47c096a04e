"""`python -m voice_sidecar` as a process of its own, with providers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.openai_audio import OpenAiAudioServer, Words
from tests.openai_server import OpenAiServer
from tests.voice.discord import Discord, until
from tests.voice.discord.waiting import TookTooLong
from tests.voice.whole.desk import Desk
from tests.voice.whole.sounds import STORY, pcm_of, words_in
from tests.voice.whole.stage import LONG, NOON, THERE, WHEN, WHERE, configured, wordless
from trainer import bootstrap
from trainer.configuration import read
from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.openai_audio import Heard
    from tests.voice.discord import Guild, Human, Rules, VoiceChannel, VoiceSession

ROOT = Path(__file__).parents[3]
KEPT = ("PATH", "HOME", "LANG", "NO_PROXY", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
ANSWERS = {WHERE: THERE, WHEN: NOON, LONG: STORY}
SPOKEN_RATE = 24_000
STARTS_S = 60.0
"""A busy machine takes long to start a process."""


class Providers:
    """An OpenAI-compatible server that recognises, words answers and reads them aloud. All by what it was taught."""

    def __init__(self, audio: OpenAiAudioServer, chat: OpenAiServer) -> None:
        self.audio = audio
        self.chat = chat
        self.base_url = ""
        self._connections: set[asyncio.Task[None]] = set()
        audio.hear_with(self._recognised)
        audio.speak_with(lambda body: pcm_of(body["input"], SPOKEN_RATE))
        chat.reply_with(self._worded)

    @property
    def recognised(self) -> list[str]:
        """What was heard, in order."""
        return [words_in(heard.pcm, ANSWERS) for heard in self.audio.heard]

    @property
    def said(self) -> list[str]:
        """What was to be read aloud, in order."""
        return [body["input"] for body in self.audio.spoken]

    def _recognised(self, heard: Heard) -> Words:
        assert heard.rate == RATE
        return Words(words_in(heard.pcm, ANSWERS))

    def _worded(self, body: dict[str, Any]) -> str:
        """The model repeats the answer that it finds in what it is given."""
        given = json.dumps(body["messages"])
        question = next(question for question in ANSWERS if question in body["messages"][-1]["content"])
        return ANSWERS[question] if ANSWERS[question] in given else "I know nothing of that."

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Sends a connection to the server that its first request is for."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            server = self.audio if b" /v1/audio/" in head.split(b"\r\n")[0] else self.chat
            port = int(server.base_url.rpartition(":")[2].partition("/")[0])
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
            upstream_writer.write(head)
            ways = [_copied(reader, upstream_writer), _copied(upstream_reader, writer)]
            _, left = await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
            for way in left:
                way.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        writer.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def providers() -> AsyncIterator[Providers]:
    with OpenAiAudioServer() as audio, OpenAiServer() as chat:
        it = Providers(audio, chat)
        front = await asyncio.start_server(it.forward, "127.0.0.1", 0)
        it.base_url = f"http://127.0.0.1:{front.sockets[0].getsockname()[1]}/v1"
        try:
            yield it
        finally:
            front.close()


class Process:
    """A running sidecar."""

    def __init__(self, running: asyncio.subprocess.Process, log: Path) -> None:
        self.running = running
        self._log = log

    @property
    def lines(self) -> list[str]:
        """What it wrote on stderr."""
        return self._log.read_text().splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The same, as it must be: JSON."""
        return [json.loads(line) for line in self.lines]

    @property
    def port(self) -> int:
        """Where it tells how it is; 0 if nowhere yet."""
        found = [record["port"] for record in self.records if record["message"] == "health and metrics"]
        return found[-1] if found else 0

    async def ask(self, path: str) -> tuple[int, str]:
        """The status and the body of an answer; 0 if it does not answer."""
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with (
                aiohttp.ClientSession(f"http://127.0.0.1:{self.port}") as http,
                http.get(path) as answer,
            ):
                return answer.status, await answer.text()
        return 0, ""

    async def health(self) -> dict[str, Any]:
        status, body = await self.ask("/healthz")
        return {"status": status, **json.loads(body or "{}")}

    async def well(self, guilds: int = 1) -> None:
        """Waits until it is connected and sees so many servers."""
        async with asyncio.timeout(STARTS_S):
            while True:
                assert self.running.returncode is None, self.lines[-5:]
                if self.port and (await self.health()).items() >= {"status": 200, "guilds": guilds}.items():
                    return
                await asyncio.sleep(0.05)

    async def logged(self, message: str, within: float = 30.0) -> None:
        """Waits until it logs something."""
        await until(lambda: any(message in line for line in self.lines), f"it logs: {message}", within=within)

    async def ended(self) -> int:
        """How it ended."""
        async with asyncio.timeout(STARTS_S):
            return await self.running.wait()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        self.running.send_signal(number)
        return await self.ended()


class Town:
    """Discord, what the HTTP side keeps, and as many sidecars as are started."""

    def __init__(self, emulator: Discord, folder: Path, helpers: Providers, settings: dict[str, str]) -> None:
        self.emulator = emulator
        self.folder = folder
        self.providers = helpers
        self.processes: list[Process] = []
        self._numbers = itertools.count(1)
        self.environ = configured(
            folder,
            emulator,
            OPENAI_BASE_URL=helpers.base_url,
            TRAINGER_STT="openai",
            TRAINGER_TTS="openai",
            **settings,
        )
        services = bootstrap.make_services(read(self.environ, {}))
        self.services = services
        self.desk = Desk(emulator, services)
        self.queue = bootstrap.make_voice_queue(read(self.environ, {}))

    def settle(self, *, shard: int = 0, shards: int = 1, user_id: int = 11) -> tuple[Guild, VoiceChannel, Human]:
        """A server that was taught, with a channel and somebody."""
        guild = self.emulator.add_guild(f"Guild {shard}", shard=shard, shards=shards)
        for question, answer in ANSWERS.items():
            self.desk.teach_pair(guild, question, answer)
        return guild, guild.add_voice_channel(), guild.add_human(user_id, f"Person {user_id}")

    async def start(self, *arguments: str, **settings: str) -> Process:
        environ = {name: value for name, value in os.environ.items() if name in KEPT}
        environ |= {
            "PYTHONPATH": str(ROOT),
            "SSL_CERT_FILE": str(self.emulator.certificate),
            **self.environ,
            **settings,
        }
        path = self.folder / f"stderr-{next(self._numbers)}"
        with path.open("wb") as log:
            running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "voice_sidecar", *arguments, cwd=self.folder, env=environ, stderr=log
            )
        process = Process(running, path)
        self.processes.append(process)
        return process

    async def begin(self, human: Human, channel: VoiceChannel) -> VoiceSession:
        """Somebody has the bot join the channel that they are in."""
        await human.join(channel)
        assert "and I hear you" in await self.desk.join(human)
        return await channel.guild.bot_in(channel, within=20)

    async def end(self) -> None:
        for process in self.processes:
            if process.running.returncode is None:
                process.running.kill()
                await process.running.wait()
        self.queue.close()
        self.services.close()


@contextlib.asynccontextmanager
async def town(folder: Path, rules: Rules | None = None, /, **settings: str) -> AsyncIterator[Town]:
    """At its end, Discord had no reason to complain, and no log has a word in it that was said."""
    async with providers() as helpers, Discord(rules) as emulator:
        it = Town(emulator, folder, helpers, settings)
        try:
            yield it
        except BaseException as error:
            for process in it.processes:
                error.add_note("\n".join(process.lines[-15:]))
            raise
        finally:
            await it.end()
        assert emulator.violations == []
        for process in it.processes:
            wordless(process.lines, [*ANSWERS, *ANSWERS.values()])


async def answered(process: Process, count: int) -> None:
    """Waits until a process has counted so many answers."""
    counted = f'trainger_voice_turns_total{{outcome="answered"}} {count}.0'
    for _ in range(600):
        if counted in (await process.ask("/metrics"))[1]:
            return
        await asyncio.sleep(0.05)
    raise TookTooLong(f"waited until it has counted {count} answers")
