"""Validation of any BIDS dataset by the rules of the official schema, and then deeper."""
