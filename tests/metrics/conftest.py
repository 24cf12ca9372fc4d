from hypothesis import settings

# They need TSB-AD; a run with --doctest-modules would import them.
collect_ignore = ["make_oracle.py", "tsb_ad.py"]

# No test of ours asserts a time, Hypothesis's limit per example included.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
