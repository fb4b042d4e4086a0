"""A believable MSP for a new database: 24 clients, 12 agents, all three kinds of contract, three months of history."""

from msp_local.demo.seed import seed

__all__ = ["seed"]
