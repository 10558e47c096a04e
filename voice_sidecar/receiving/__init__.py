"""What people say in a voice channel: from UDP datagrams to one stream of sound a speaker.

Nothing here opens a socket, reads a clock or starts a thread: `receiver.Receiver` is fed datagrams and what the voice
gateway announced, with the time at which they came.
"""
