-- Doctors who want to approve each visit, and holds, which are kept for a while only.

ALTER TABLE doctor ADD COLUMN requires_approval boolean NOT NULL DEFAULT false;

-- From then on a hold keeps no time any more, whether or not the feed has told of its end. Null for all but holds.
ALTER TABLE visit ADD COLUMN hold_expire_time timestamptz;
