"""Measurements in the forms of others, as items of a batch: the same gate lets them through."""
