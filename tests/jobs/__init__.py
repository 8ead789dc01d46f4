"""Records of jobs and their folders."""
