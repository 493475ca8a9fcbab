"""Sable."""
