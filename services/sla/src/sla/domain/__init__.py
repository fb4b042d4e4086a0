"""The rules of promises: targets, clocks, escalation, compliance. Pure; time comes in as an argument."""
