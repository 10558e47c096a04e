"""The voice sidecar."""
