"""The sidecar as a whole, in this process and as a process of its own, against the emulator of Discord."""
