"""From file names to jobs. Nothing here opens a file of the source."""
