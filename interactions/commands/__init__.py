"""One file a command: its definition beside its handlers. `interactions.registry` finds them."""
