-- Protecting a practitioner and ending it are changes of the register by two people (security.md S27). The program
-- knows the kinds of change that it can decode; a list here would have to be made anew for each.
-- squawk-ignore ban-drop-constraint
ALTER TABLE register_change DROP CONSTRAINT register_change_kind;
