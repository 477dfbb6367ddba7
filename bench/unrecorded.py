"""The appointment service without its record of accesses, for `bench.accesses` to stand beside the real one."""

from appointment_svc.__main__ import main
from appointment_svc.api.audit import TOUCHES

if __name__ == "__main__":
    TOUCHES.clear()
    main()
