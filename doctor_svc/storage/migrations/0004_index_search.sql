-- What doctors are found by: words, words spelled otherwise, attributes, and the orders of a list. All of it is
-- derived here, so that whoever writes a profile, an older version of the service included, writes it too.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Letters without case and without accents.
CREATE FUNCTION search_folded(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(regexp_replace(normalize(words, NFKD), '[\u0300-\u036f]', '', 'g'));

-- The lists of words of a profile are joined here, since array_to_string is not immutable for every kind of array.
CREATE FUNCTION search_words(first_name text, last_name text, specialty text, sub_specialties text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN search_folded(concat_ws(' ', first_name, last_name, specialty, array_to_string(sub_specialties, ' ')));

-- Names count most, then the specialty, the sub-specialties, the bio. Names are kept as they are as well, since the
-- stems of a language know neither James nor Will.
CREATE FUNCTION search_document(
    first_name text, last_name text, specialty text, sub_specialties text[], bio text
) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN setweight(to_tsvector('pg_catalog.simple', search_folded(first_name || ' ' || last_name)), 'A')
    || setweight(to_tsvector('pg_catalog.english', search_folded(first_name || ' ' || last_name)), 'A')
    || setweight(to_tsvector('pg_catalog.english', search_folded(specialty)), 'B')
    || setweight(to_tsvector('pg_catalog.english', search_folded(array_to_string(sub_specialties, ' '))), 'C')
    || setweight(to_tsvector('pg_catalog.english', search_folded(bio)), 'D');

CREATE FUNCTION search_query(words text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN plainto_tsquery('pg_catalog.english', search_folded(words))
    || plainto_tsquery('pg_catalog.simple', search_folded(words));

-- pt-BR is found by pt-br and by pt.
CREATE FUNCTION search_languages(languages text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT lower(tag) FROM unnest(languages) AS tag UNION SELECT lower(split_part(tag, '-', 1))
             FROM unnest(languages) AS tag);

ALTER TABLE doctor
    ADD COLUMN search_words text NOT NULL
        GENERATED ALWAYS AS (search_words(first_name, last_name, specialty, sub_specialties)) STORED,
    ADD COLUMN search_document tsvector NOT NULL
        GENERATED ALWAYS AS (search_document(first_name, last_name, specialty, sub_specialties, bio)) STORED,
    ADD COLUMN language_keys text[] NOT NULL GENERATED ALWAYS AS (search_languages(languages)) STORED,
    -- Drawn towards five imagined ratings of 4.0, as in matching (domain/matching.py).
    ADD COLUMN weighed_rating double precision NOT NULL
        GENERATED ALWAYS AS ((rating * rating_count + 4.0 * 5) / (rating_count + 5)) STORED;

CREATE INDEX doctor_by_words ON doctor USING gin (search_document);
CREATE INDEX doctor_by_spelling ON doctor USING gin (search_words gin_trgm_ops);
CREATE INDEX doctor_by_attributes ON doctor USING gin (specialty_keys, language_keys, license_jurisdictions);
CREATE INDEX doctor_by_rating ON doctor (weighed_rating, doctor_id) WHERE is_verified AND is_active;
CREATE INDEX doctor_by_experience ON doctor (years_experience, weighed_rating, doctor_id)
    WHERE is_verified AND is_active;
CREATE INDEX doctor_by_name ON doctor (lower(last_name), lower(first_name), doctor_id)
    WHERE is_verified AND is_active;

-- Wakes every replica that keeps answers of searches. Profiles change seldom, so one notice a transaction is cheap.
CREATE FUNCTION tell_doctor_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('doctor_changed', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER doctor_changed AFTER INSERT OR UPDATE OR DELETE ON doctor
FOR EACH STATEMENT EXECUTE FUNCTION tell_doctor_changed();
