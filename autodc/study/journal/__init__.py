"""Events, how they are written and read back in any version, and the state that is folded from them."""
