"""The doctor service: profiles, weekly availability, slot generation and matching; it never writes an appointment."""
