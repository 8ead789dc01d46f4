"""What a file holds, as it is described."""
