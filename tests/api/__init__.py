"""The routes, asked through the application without a socket."""
