"""Form templates as data: one file a version, none is ever edited. QĐ 1551 names 17 forms, whose fields we do
not know; only the one of QĐ 831 part D is here."""
