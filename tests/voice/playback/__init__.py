"""What is said in a voice channel."""
