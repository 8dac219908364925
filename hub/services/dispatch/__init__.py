"""A case is given to somebody: proposals, tasks, who helps, and the second look of cameras."""
