"""Ablations: one decision about data changed, all else equal, and what small models say of it. See docs/ablations.md.

A file here is an experiment, with its hypothesis first. `ablation` is what it is made of, `running` runs it, `judging`
says what can be concluded.
"""
