"""Tests of conversations in a voice channel."""
