"""What an operator sees of the sidecar: health, metrics, the doctor."""
