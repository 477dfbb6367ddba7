-- What patients have given their completed visits, counted for each doctor as the copy of the visits changes. The copy
-- takes each version of a visit at most once and never an older one, so each rating counts once, however often the feed
-- tells of it and in whatever order.

ALTER TABLE visit
    -- 1 to 5; null while the patient has given none.
    ADD COLUMN rating int CONSTRAINT visit_rating_is_one_to_five CHECK (rating BETWEEN 1 AND 5);

ALTER TABLE doctor
    -- The sum of all ratings. A sum of whole numbers is exact, whereas a mean that is made from means would drift.
    ADD COLUMN rating_total double precision NOT NULL DEFAULT 0;

UPDATE doctor SET rating_total = rating * rating_count;

CREATE FUNCTION count_rating() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    before int;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := OLD.rating;
    END IF;
    UPDATE doctor AS d
    SET rating_total = after.total,
        rating_count = after.given,
        rating = CASE WHEN after.given = 0 THEN 0 ELSE after.total / after.given END
    FROM (
        SELECT doctor_id,
               rating_total + coalesce(NEW.rating, 0) - coalesce(before, 0) AS total,
               rating_count + (NEW.rating IS NOT NULL)::int - (before IS NOT NULL)::int AS given
        FROM doctor
        WHERE doctor_id = NEW.doctor_id
        FOR NO KEY UPDATE
    ) AS after
    WHERE d.doctor_id = after.doctor_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER visit_rated_at_once AFTER INSERT ON visit
FOR EACH ROW WHEN (NEW.rating IS NOT NULL) EXECUTE FUNCTION count_rating();

CREATE TRIGGER visit_rated AFTER UPDATE OF rating ON visit
FOR EACH ROW WHEN (OLD.rating IS DISTINCT FROM NEW.rating) EXECUTE FUNCTION count_rating();
