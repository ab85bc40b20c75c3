"""How older cohort tables are brought to the present version: one script for each version.

A new version is a new script in ``versions`` (``revision``, ``down_revision``, ``upgrade``) with
the next number. A script that was released is never changed.
There is no way down: the backup that was made before is the way back.
"""
