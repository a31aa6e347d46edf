"""What is asked of this situation: whether the mission in Iraq is extended, and what that does."""
