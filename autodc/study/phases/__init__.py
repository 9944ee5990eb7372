"""What a study does, one file a phase: each looks at the state and says the next step."""
