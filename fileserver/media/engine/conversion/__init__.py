"""Film that players do not take, made anew."""
