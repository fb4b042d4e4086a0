"""The shapes of HTTP answers."""

from sla.schemas.clocks import CauseBody, ClockHead, ClockView, ExplainView
from sla.schemas.compliance import ComplianceView, PartRow, VerdictView
from sla.schemas.credits import CreditView
from sla.schemas.foresight import ForeseenView
from sla.schemas.refusals import RefusalView
from sla.schemas.whatif import ChangedView, WhatIfBody, WhatIfView

__all__ = [
    "CauseBody",
    "ChangedView",
    "ClockHead",
    "ClockView",
    "ComplianceView",
    "CreditView",
    "ExplainView",
    "ForeseenView",
    "PartRow",
    "RefusalView",
    "VerdictView",
    "WhatIfBody",
    "WhatIfView",
]
