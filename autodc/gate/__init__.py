"""The judge: paired differences in, a verdict with its reasons out; every look spends from the ledger."""
