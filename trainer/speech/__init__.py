"""Speech in files: sound decoded, judged, split and encoded; recognised; and spoken.

Nothing here is imported on the acknowledging path.
"""
