"""Tests with real models, which `make test-models` installs; each says so and is skipped without them."""
