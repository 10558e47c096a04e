"""Packaging, tried without a registry."""
