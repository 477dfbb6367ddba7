"""The appointment service: bookings, conflicts, rules, the time ledger, history and the change feed."""
