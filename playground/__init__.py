"""A local Discord: a real HTTP server that the product uses with no accounts, and the tests' Discord.

It shares no code with the product. Everything lives in memory but its identity (keys and ids), so that stored data
stays valid over restarts.
"""
