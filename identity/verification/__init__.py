"""Who proved to be whom, by which way and how surely: results that serve once (vietnam.md §8)."""
