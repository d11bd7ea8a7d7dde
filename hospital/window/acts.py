"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare("window", {"print_slip": "打印挂号小票"})
