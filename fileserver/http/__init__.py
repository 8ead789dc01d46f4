"""Header text and bytes in, values out. No I/O, no clock, no logging: every function here can be tested by a table."""
