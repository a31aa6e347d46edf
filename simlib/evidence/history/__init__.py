"""Event history: files that people have, what of it was known when, and monthly counts.

Files are read as they are published (UCDP GED, UCDP Candidate, ACLED); what their rows mean
for simlib stands in a mapping, ``seeds/history/mapping.yaml``, that can be changed.
"""
