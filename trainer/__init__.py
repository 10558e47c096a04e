"""What the bot knows and how it learns. Knows no Discord, no HTTP framework and no cloud."""
