"""Measurements that their person wants gone."""
