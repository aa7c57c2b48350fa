"""Run jobs: parallel, resumable, atomic. It does not know what is made of what."""
