"""Words over pictures: the files that people have beside their films, and WebVTT, which players read."""
