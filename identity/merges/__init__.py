"""Two persons who are one: merged by two registry officers, and separated again (security.md S10)."""
