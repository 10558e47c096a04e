"""`python -m trainer.evaluation`: a run of test cases from a terminal or a CI system, its bars and its files."""
