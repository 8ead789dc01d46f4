"""What runs in the worker: reads, transforms and prints a table. Imported by nobody but the worker."""
