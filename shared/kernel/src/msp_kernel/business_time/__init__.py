"""Business time: elapsed time inside the windows of a calendar.

A calendar is precomputed as sorted windows in epoch seconds with running totals, so that ``add`` and ``between`` are a
bisect and never a walk. It learns further years when it is asked about instants it has not seen yet.

Rules: windows are ``[start, end)``; ``add(start, n)`` is the first instant at which ``n``
seconds have elapsed (16:30 + 30 min in 09:00-17:00 is 17:00 that day); a start outside hours counts from the next
opening, and ``add(start, 0)`` is that opening; ``between`` of a reversed range is 0; the two are inverse. Time is elapsed
time: a window over a DST change has an hour more or less. Precision is the second, parts of one are cut off.
"""

from msp_kernel.business_time.calendar import Calendar, Condition
from msp_kernel.business_time.errors import BadDay, BadWindow, CalendarWithoutHours, OutOfRange
from msp_kernel.business_time.reading import WEEKDAYS
from msp_kernel.business_time.timeline import DAY_SECONDS, YEAR_MAX, YEAR_MIN, Window
from msp_kernel.zones import UnknownTimezone

__all__ = [
    "DAY_SECONDS",
    "WEEKDAYS",
    "YEAR_MAX",
    "YEAR_MIN",
    "BadDay",
    "BadWindow",
    "Calendar",
    "CalendarWithoutHours",
    "Condition",
    "OutOfRange",
    "UnknownTimezone",
    "Window",
]
