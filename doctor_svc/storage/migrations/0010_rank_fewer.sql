-- The words of names and specialties apart from those of bios: a word that nearly every bio has may be somebody's name,
-- and that doctor must be found without a look at everyone.

ALTER TABLE doctor
    ADD COLUMN search_titles tsvector NOT NULL
        GENERATED ALWAYS AS (search_document(first_name, last_name, specialty, sub_specialties, '')) STORED;

CREATE INDEX doctor_by_titles ON doctor USING gin (search_titles);
