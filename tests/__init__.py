"""The suite: rooms mirrored, journeys over sockets, and the harness both stand on."""
