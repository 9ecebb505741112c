"""What `netcalc train` shows: what a run will take, its progress, a line for each epoch."""
