SELECT pg_temp.edit('expire_holds', 'a.hold_expire_time <= p_now', 'false');
