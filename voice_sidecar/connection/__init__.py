"""Discord's gateway, and voice connections that hold: joining, moving, losing and finding them again.

`client.SidecarClient` keeps the gateway connection and the cache of voice states, `connections.Connections` the voice
connections. Of discord.py, the gateway client and its cache are used; voice is spoken here, behind its public
`VoiceProtocol`. What decides is pure and in files of its own (`closing`, `permission`, `group`, `rtp_clock`).
"""
