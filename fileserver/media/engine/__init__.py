"""FFmpeg and Pillow at work on a stranger's files. Imported by worker processes alone."""
