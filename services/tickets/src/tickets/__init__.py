"""Work and time: tickets, messages, queues, agents, time entries and their approval."""
