"""Everything that the doctor service refuses in words of its own."""

from kernel.errors import Kind, Refusal, Violation


class DoctorNotFound(Refusal):
    """There is no such doctor, or none that the caller may see."""

    kind = Kind.NOT_FOUND
    reason = "DOCTOR_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("there is no such doctor")


class EmailTaken(Refusal):
    """Another doctor has the e-mail address."""

    kind = Kind.ALREADY_EXISTS
    reason = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("another doctor has this e-mail address")


class RuleNotFound(Refusal):
    """There is no such rule of availability, or none that the caller may see."""

    kind = Kind.NOT_FOUND
    reason = "RULE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("the doctor has no such rule of availability")


class OverrideNotFound(Refusal):
    """There is no such override, or none that the caller may see."""

    kind = Kind.NOT_FOUND
    reason = "OVERRIDE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("the doctor has no such override")


class RuleOverlaps(Refusal):
    """The doctor has hours of that kind at that time already."""

    kind = Kind.ALREADY_EXISTS
    reason = "RULE_OVERLAPS"

    def __init__(self, rule_id: str, field: str) -> None:
        told = "the doctor has hours of this kind at this time already"
        super().__init__(told, violations=(Violation(field, told),), metadata={"conflicting_rule_id": rule_id})
