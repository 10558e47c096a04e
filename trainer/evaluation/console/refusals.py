"""Why a command cannot be done."""

from __future__ import annotations


class Refused(Exception):
    """It cannot be done. The message is a sentence for whoever typed the command, in their language."""
