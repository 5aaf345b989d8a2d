"""One file per page; each ends in ``render()`` under the main guard, so that tests can switch to it."""
