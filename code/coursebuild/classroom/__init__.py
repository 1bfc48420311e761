"""A class's submissions: read as they come, run in a sandbox, judged outside it, told in words."""
