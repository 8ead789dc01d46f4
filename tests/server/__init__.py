"""Starting, stopping and several processes, with real processes and an application that does as it is told."""
