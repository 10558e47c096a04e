"""What the bot says in a voice channel: from phrases of sound to 20 ms of Opus every 20 ms.

What is sent next is decided in `programme`, without a clock or a thread; `player` gives it both.
"""
