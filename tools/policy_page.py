"""Writes the tables of docs/authorization.md from the policies of the services.

python -m tools.policy_page
"""

from pathlib import Path

from appointment_svc.api.policy import POLICY as APPOINTMENTS
from chassis.policy import Policy, Rule, Scope
from doctor_svc.api.policy import POLICY as DOCTORS
from video_svc.api.policy import POLICY as VISITS

PAGE = Path(__file__).parents[1] / "docs" / "authorization.md"
_BEGIN, _END = "<!-- tables: written by `make gen` -->\n", "<!-- end of the tables -->\n"
_HEAD = "| RPC | patient | doctor | admin | service | what is another's | glass |\n|---|---|---|---|---|---|---|\n"
_SERVICES = (("Appointments", APPOINTMENTS), ("Doctors", DOCTORS), ("Visits", VISITS))


def page_with_tables(page: str) -> str:
    """The page with the tables as the policies have them now."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    tables = "\n".join(f"### {name}\n\n{_HEAD}{_rows(policy)}" for name, policy in _SERVICES)
    return f"{before}{_BEGIN}\n{tables}\n{_END}{after}"


def _rows(policy: Policy) -> str:
    return "".join(_row(method.rpartition("/")[2], rule) for method, rule in policy.items())


def _row(method: str, rule: Rule) -> str:
    scopes = (rule.patient, rule.doctor, rule.admin, rule.service)
    shown = ["" if scope is Scope.NONE else scope.value for scope in scopes]
    return "| " + " | ".join([method, *shown, rule.others.value, "yes" if rule.break_glass else ""]) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text()))
