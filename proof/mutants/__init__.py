"""The mutants: ways to break the system on purpose, so that the checker has to notice each.

A mutant is SQL for the databases of one run, run after the migrations, or a patch that one run's processes apply to
themselves when they start, or both. Nothing else can reach them: the package is not in the wheel, and an import
contract keeps every other package from knowing it.
"""
