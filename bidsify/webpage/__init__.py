"""What a survey found, as one HTML file that needs no network."""
