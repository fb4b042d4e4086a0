"""The rules of contracts and the hours ledger: values and functions, no input, no output, no clock."""
