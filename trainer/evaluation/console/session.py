"""From a command to its exit code: cases are read, answered, compared, told of, and held against the bars."""

from __future__ import annotations

import io
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import bootstrap, logs
from trainer.configuration import ConfigurationError
from trainer.evaluation.console.choosing import chosen_dataset, chosen_scope
from trainer.evaluation.console.listing import run_lines
from trainer.evaluation.console.making import FORGOTTEN, Interrupted, Maker
from trainer.evaluation.console.refusals import Refused
from trainer.evaluation.console.screen import Screen
from trainer.evaluation.console.setting_aside import SetAside
from trainer.evaluation.console.stopping import Stop
from trainer.evaluation.console.telling import Place, check_outputs, tell
from trainer.evaluation.store import DetailGone
from trainer.i18n import N_, translator
from trainer.ports import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.configuration import Configuration
    from trainer.evaluation.console.options import Options
    from trainer.i18n import Translator
    from trainer.ports import ChatModel

DONE: Final = 0
NOT_REACHED: Final = 1
NOT_DONE: Final = 2
SIGNALLED: Final = 128
"""What shells add to the number of the signal that ended a process."""
LOUD: Final = ("ERROR", "CRITICAL")


def evaluate(options: Options, environ: Mapping[str, str]) -> int:
    """Do what was typed; the exit code."""
    t = translator(options.language)
    for stream in (sys.stdout, sys.stderr):
        # A terminal without letters for it gets a question mark, and no traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    screen = Screen(sys.stdout, sys.stderr, environ, quiet=options.quiet)
    with Stop() as stop:
        try:
            return _evaluated(options, t, screen, stop)
        except (ConfigurationError, Refused, Unavailable) as error:
            screen.complain(str(error))
            return NOT_DONE
        except DetailGone:
            screen.complain(t(FORGOTTEN))
            return NOT_DONE
        except OSError as error:
            screen.complain(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
            return NOT_DONE
        except Interrupted as ended:
            screen.complain(ended.sentence)
            return SIGNALLED + stop.number
        except KeyboardInterrupt:
            screen.complain(t(N_("Interrupted.")))
            return SIGNALLED + stop.number


def _evaluated(options: Options, t: Translator, screen: Screen, stop: Stop) -> int:
    configuration = _configured(options, t)
    check_outputs(options.outputs, t)
    with ExitStack() as stack:
        store = bootstrap.make_store(configuration)
        scope = chosen_scope(store, options.scope, configuration.store, t)
        if options.list_runs:
            screen.show(run_lines(store, scope, chosen_dataset(store, scope, options.dataset, t), t))
            return DONE
        if not options.kept and not options.resume:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="trainger-evaluation-"))
            aside = bootstrap.make_store(msgspec.structs.replace(configuration, store=f"file:{folder}"))
            store = SetAside(store, aside, scope)
        maker = Maker(configuration, store, scope, t, screen, stop, _judge(configuration, options))
        if options.resume:
            made = maker.resumed(options)
        else:
            made = maker.made(options, chosen_dataset(store, scope, options.dataset, t))
        return DONE if tell(made, options, Place(store, scope, t, screen)) else NOT_REACHED


def _configured(options: Options, t: Translator) -> Configuration:
    """The configuration in force, as far as a run needs it. Raises `ConfigurationError`, `Refused`."""
    configuration = bootstrap.configure()
    logs.set_up(configuration.log_level if configuration.log_level in LOUD else "WARNING")
    kind, _, place = configuration.store.partition(":")
    if kind == "file" and not Path(place).is_dir():
        text = N_("There is no store {place}: TRAINGER_STORE says where it is, and the bot makes it.")
        raise Refused(t(text, place=configuration.store))
    other = options.against is not None and options.against.kind == "model"
    has_server = configuration.openai_api_key or configuration.openai_base_url
    if (options.model or options.judge or other) and not has_server:
        raise Refused(t(N_("There is no server of chat models: OPENAI_API_KEY or OPENAI_BASE_URL names one.")))
    # No door is opened, so no links are made, and nothing is said aloud.
    configuration = msgspec.structs.replace(configuration, public_url="", port=0, tts="none", stt="none", ffmpeg="")
    if options.threads is not None:
        configuration = msgspec.structs.replace(configuration, evaluation_threads=options.threads)
    return configuration


def _judge(configuration: Configuration, options: Options) -> ChatModel | None:
    """What judges, whichever model answers: two models are compared by the same judge."""
    named = options.judge or configuration.chat_model
    return bootstrap.make_chat(msgspec.structs.replace(configuration, chat_model=named))
