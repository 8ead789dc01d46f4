"""What tests stand on: real servers, exact clients, scripted ASGI, known files and media."""
