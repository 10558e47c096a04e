"""discord.py imports `audioop`, which Python is about to drop; once it is imported, it does not say so again."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord  # noqa: F401 - imported for what it imports
