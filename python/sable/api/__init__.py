"""The transformations as users see them."""
