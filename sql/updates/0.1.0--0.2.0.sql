-- From 0.1.0 to 0.2.0: types, and what is dropped or has another signature.
-- Functions, comments and routes follow from the source files; tables are
-- brought up to date by roost.install().

DROP FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies);
