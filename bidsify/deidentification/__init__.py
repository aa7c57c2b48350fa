"""What in a tree may tell who a person is: found in headers and texts, and removed from headers."""
