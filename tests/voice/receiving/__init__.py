"""From datagrams to sound."""
