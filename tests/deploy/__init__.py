"""The stack as it is packaged and deployed, without an account: `make test-all`."""
