"""Sound: its tracks and segments in HLS, as WAV, and its shape."""
