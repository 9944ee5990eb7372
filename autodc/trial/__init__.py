"""One training as a value: the ports for trainers, methods and executors, and what they take and give."""
