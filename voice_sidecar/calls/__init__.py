"""Which server we are in a voice channel of, and why: orders, joining, notices, who agreed, leaving, coming back.

taking.py       takes orders from the voice queue and settles them
calls.py        does what they say, and follows what happens in the channels
deciding.py     may we join: pure
attendance.py   when a call has become pointless: pure
consents.py     who agreed to be heard, in memory
notices.py      the message that says that we listen
transcripts.py  questions and answers in the channel's chat, where managers want that
wording.py      what people are told: pure
rest.py         Discord's REST API, as far as the sidecar speaks to it
client_cache.py where people and channels are, from the gateway's cache
kept.py         what the store keeps of all this
needs.py        what this package needs of the others
"""
