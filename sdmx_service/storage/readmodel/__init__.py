"""Read models: what the store shows of a cube at one release, as memory-mapped Arrow files (docs/decisions/0011)."""
