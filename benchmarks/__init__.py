"""What `make bench` measures: always against a floor or a peer in the same run."""
