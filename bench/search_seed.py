"""A hundred thousand doctors to be searched, made by SQL: names by syllables, and bios that all begin alike."""

import psycopg

DOCTORS = 100_000
# What the profiles hold, for the questions to be about.
NAME, MISSPELT = "Karolin Norberson", "Karolin Norbersen"
COMMON_WORD, RARE_WORD = "patients", "sailing"
_SEED = """
INSERT INTO doctor (doctor_id, first_name, last_name, specialty, specialty_keys, bio, years_experience, languages,
                    timezone, license_jurisdictions, is_verified, rating, rating_count, rating_total, create_time,
                    update_time)
SELECT gen_random_uuid(),
       (ARRAY['Ka', 'Mi', 'Jo', 'Le', 'Su', 'An', 'Be', 'To', 'Re', 'Vi'])[1 + n % 10]
           || (ARRAY['ro', 'ri', 'na', 'mo', 'sa', 'li', 'da', 'ne'])[1 + n / 10 % 8]
           || (ARRAY['lin', 'na', 'm', 'el', 'rd', 'ta'])[1 + n / 80 % 6],
       (ARRAY['Nor', 'Ber', 'Hal', 'Wes', 'Dun', 'Car', 'Lin', 'Mor', 'Ash', 'Pet'])[1 + n / 480 % 10]
           || (ARRAY['ber', 'den', 'ing', 'ter', 'ley', 'man', 'field', 'wood'])[1 + n / 4800 % 8]
           || (ARRAY['son', 's', 'ham', 'ton', ''])[1 + n / 38400 % 5],
       specialty, ARRAY[lower(specialty)],
       'Treats patients of every age and takes time for questions.'
           || CASE WHEN n % 5000 = 7 THEN ' Knows the injuries of sailing and climbing.' ELSE '' END,
       n % 40, CASE WHEN n % 7 = 0 THEN '{en,pt-BR}' ELSE '{en}' END::text[], 'America/New_York',
       ARRAY[(ARRAY['US-NY', 'US-CA', 'US-TX', 'GB'])[1 + n % 4]], n % 20 <> 13, 3 + n % 9 * 0.25, 20,
       (3 + n % 9 * 0.25) * 20, now(), now()
FROM generate_series(0, 99999) AS n,
     LATERAL (SELECT (ARRAY['Cardiology', 'Dermatology', 'Neurology', 'Pediatrics', 'Psychiatry', 'Oncology',
                            'Urology', 'Endocrinology', 'Rheumatology', 'Gastroenterology'])[1 + n * 7 % 10]
              AS specialty) AS s
"""
_HOURS = """
INSERT INTO availability_rule (rule_id, doctor_id, day_of_week, kind, duration_minutes, buffer_minutes, capacity,
                               morning_start, morning_end, create_time)
SELECT gen_random_uuid(), doctor_id, weekday, 'GeneralConsultation', 30, 10, 1, '09:00', '12:00', now()
FROM doctor, generate_series(1, 5) AS weekday
"""


async def add_searched_doctors(url: str) -> None:
    """Puts them and their hours into a doctor database, and leaves the tables as they are after a while of use."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in (_SEED, _HOURS, "VACUUM ANALYZE"):
            await connection.execute(statement)
