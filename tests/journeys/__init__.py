"""Users' stories, told over real sockets against a real server."""
