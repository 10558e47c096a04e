"""The voice door: gateway and voice connection, listening and speaking."""
