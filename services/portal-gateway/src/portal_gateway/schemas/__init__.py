"""Bodies and views of the gateway's own part of ``/api/v1``."""
