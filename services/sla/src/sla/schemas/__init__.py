"""The shapes of HTTP answers."""

from sla.schemas.clocks import ClockHead, ClockView, ExplainView
from sla.schemas.compliance import ComplianceView, VerdictView
from sla.schemas.whatif import WhatIfBody, WhatIfView

__all__ = ["ClockHead", "ClockView", "ComplianceView", "ExplainView", "VerdictView", "WhatIfBody", "WhatIfView"]
