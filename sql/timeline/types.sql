-- Types of the timeline module.

CREATE TYPE roost.timeline_order AS ENUM ('recent', 'top');
COMMENT ON TYPE roost.timeline_order IS 'recent: newest first. top: what is talked about first; every tenfold of engagement counts like 12 hours of youth.';

CREATE TYPE roost.timeline_replies AS ENUM ('following', 'all', 'none');
COMMENT ON TYPE roost.timeline_replies IS 'Which replies a home timeline shows: following (those to accounts the reader follows, and to the reader), all, or none.';
