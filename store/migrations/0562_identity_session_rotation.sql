-- When the phone signed the refresh that rotated last (its clock, epoch seconds): a phone that lost the answer signs
-- anew, so later, and a recording of that request does not.
ALTER TABLE session ADD COLUMN rotated_iat bigint;
