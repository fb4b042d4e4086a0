"""Real PostgreSQL and real RabbitMQ on any Debian machine, root or not, Docker or not."""
