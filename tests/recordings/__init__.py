"""Recordings of real instrumentations: what their programs sent, and what they used."""
