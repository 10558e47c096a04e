"""A conversation in a voice channel: who is meant, what is answered, how it is said, and who may interrupt.

What decides is pure: addressing, sounds_alike, commands, deciding, barge_in, phrases, waiting, filler, windows,
memory, tongues, outages. `conversation.Conversation` holds them together in the event loop.
"""
