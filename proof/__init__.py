"""Proof that nobody is booked twice and that nothing promised is lost, however much is killed.

`make proof` starts a real clinic, lets many clients book, hold, move and cancel while a nemesis kills servers and the
database, and then has a checker that shares no code with the system read two things alone: what every client was told
(`history.jsonl`) and what the databases hold. Afterwards it breaks the system on purpose, one mutant at a time, and the
same checks have to notice each. `docs/proof.md` says what this proves, what it does not, and how to read a failure.

    campaign.py   how long, how many clients, which faults
    history.py    the record: one JSON line for every invoke, ok, fail, unknown, fault
    clinic.py     the running system: PostgreSQL and several processes of each service
    caller.py     one client with the retry rules that docs/errors.md promises to be safe
    crowd.py      many clients with known intent; nemesis.py kills meanwhile; aftermath.py heals and asks again
    evidence.py   everything in the databases that a check reads
    checks/       the checker: standard library, the history and the evidence, nothing else
    mutants/      the ways to break the system; applied to the proof's own processes and databases alone

Nothing of this is part of a deployment: the package is not in the wheel, and no other package may import it.
"""
