"""Questions before a vaccination, as data: one file a version, none is ever edited.

The ministry's own screening form was not read for this: the questions are ours and say so (`confirmed`).
Whoever vaccinates examines and decides; nothing here refuses anybody.
"""
