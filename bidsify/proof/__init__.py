"""Prove that a written file holds what its sources hold, without the code that wrote it.

Files are read by nibabel, pydicom and json anew; slices are found through their own tags and
the inverse of the written affine, never by the order in which they were stacked. The one thing
shared with the writer is the reader of torch files, which the tests compare with torch. Where a
gzip stream was kept, to be the stream of the source is the proof, and only its start and its
size are looked at again.
"""
