"""/test: cases with expected answers, run against what the bot knows, compared, reported, and used as a gate."""
