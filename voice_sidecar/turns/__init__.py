"""When somebody speaks, and when they are finished: from one person's stream of sound to their turns.

`ear.Ear` decides and is pure: it reads no clock, starts no thread and runs no model but the voice activity model that
it is given. `ears.load_ears` makes ears that share one.
"""
