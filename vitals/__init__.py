"""Vitals: what watches, cuffs and meters measure, taken in once, summed by the hour, judged and shown."""
