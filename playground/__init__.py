"""A Discord of our own, for trials and tests. Nothing in the product imports it."""
