"""What touches disks, processes and servers: each implements a port of the rooms below, none is imported by them."""
