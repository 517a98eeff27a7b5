"""What the command line does: runs the stack, follows a job, prints and reports what came of it."""
