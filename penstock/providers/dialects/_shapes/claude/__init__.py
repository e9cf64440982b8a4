"""What Claude models take, by whatever way they are reached."""
