"""Correct clients of ordinary designs; each module is as another team would write it."""
