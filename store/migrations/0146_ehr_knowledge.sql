-- Who reviewed which text of an article: a named person with a licence. An article is published as long as its very
-- text (content_sha256) has a review that nobody took back.
-- table: article_review distribute: reference
CREATE TABLE article_review (
    slug text NOT NULL,
    content_sha256 bytea NOT NULL,
    version int NOT NULL,
    reviewer text NOT NULL,
    licence text NOT NULL,
    reviewed_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (slug, content_sha256)
);
