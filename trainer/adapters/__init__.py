"""One file an outside thing. Only `trainer.bootstrap` imports these."""
