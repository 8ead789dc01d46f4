"""HLS: where a file is cut, and its segments of film and words."""
