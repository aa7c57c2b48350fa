"""Prove a tree against its source: nothing lost, nothing changed, nothing added."""
