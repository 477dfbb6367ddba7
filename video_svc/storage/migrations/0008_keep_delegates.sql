-- Who came by a ticket may act for a patient, as a guardian does. The version before this one keeps none.
ALTER TABLE stream_ticket ADD COLUMN delegate text NOT NULL DEFAULT '';
