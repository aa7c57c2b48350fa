"""Hand a tree to training frameworks and viewers, and bring predictions back as a tree.

Images stay where they are: exports point into the tree, and write labels anew only where their
values must change.
"""
