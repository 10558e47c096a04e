"""What is wrong with the configuration."""

from __future__ import annotations


class ConfigurationError(Exception):
    """A setting that cannot be. The message says which, and what it should be; never the value of a secret."""
