-- How many reads left the API under a basis (a grant, an emergency access), counted where the answer leaves and not
-- where it is logged: `healthbook audit reconcile` holds the two against each other (consent.md §9, audit gap).
-- table: answered_read distribute: patient_id with citizen
CREATE TABLE answered_read (
    patient_id uuid NOT NULL,
    basis_id uuid NOT NULL,
    answered bigint NOT NULL,
    answered_at timestamptz NOT NULL,
    CONSTRAINT answered_read_pkey PRIMARY KEY (patient_id, basis_id),
    CONSTRAINT answered_read_answered CHECK (answered > 0)
);
