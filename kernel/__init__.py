"""The pure words that the domains share: errors, appointment types, slots, civil time. Standard library only."""
