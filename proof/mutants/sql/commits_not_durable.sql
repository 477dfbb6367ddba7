ALTER DATABASE telemed_appointment SET synchronous_commit = off;
ALTER DATABASE telemed_doctor SET synchronous_commit = off;
ALTER DATABASE telemed_video SET synchronous_commit = off;
