"""What is promised of stored files, whatever the machine below does."""
