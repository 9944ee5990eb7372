"""Hostile input, made by Hypothesis: whatever it is, it is taken or refused with a code; nothing crashes or escapes."""
