"""From approved time to an immutable invoice: billing runs, pricing, documents."""
