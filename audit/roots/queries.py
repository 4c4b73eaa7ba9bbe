"""All SQL of the log of changed heads."""

from audit.roots.models import ChainStep, Changed, CosignatureRow, LeafRow, RootRow, TreeRow
from store.statement import Command, Scalar, Statement

# The scalar sub-select is one probe of a primary key a head; a join could be planned over the whole log.
CHANGED = Statement(
    Changed,
    """
    SELECT a.patient_id, a.seq, a.h,
           coalesce((SELECT true FROM audit_leaf l
                     WHERE l.patient_id = a.patient_id AND l.epoch = $1 AND l.seq = a.seq), false) AS is_known
    FROM audit_head a WHERE NOT a.rooted ORDER BY a.patient_id LIMIT $2
    """,
    fan_out="every five minutes one worker takes the heads that changed, wherever they lie",
)

# Never waits for a row: who holds it is moving the head, which takes the mark away again.
MARK_ROOTED = Command(
    """
    UPDATE audit_head SET rooted = true
    WHERE patient_id = $1 AND seq = $2
      AND EXISTS (SELECT FROM audit_head b WHERE b.patient_id = $1 FOR NO KEY UPDATE SKIP LOCKED)
    """
)

INSERT_TREE = Command(
    "INSERT INTO audit_tree (epoch, log, size) VALUES ($1, $2, 0) ON CONFLICT (epoch) DO NOTHING"
)
LOCK_TREE = Statement(TreeRow, "SELECT log, size FROM audit_tree WHERE epoch = $1 FOR UPDATE")
GROW_TREE = Command("UPDATE audit_tree SET size = $2 WHERE epoch = $1")

INSERT_LEAVES = Command(
    """
    INSERT INTO audit_leaf (patient_id, epoch, seq, leaf, h)
    SELECT n.patient_id, $1, n.seq, n.leaf, n.h
    FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[]) AS n (patient_id, seq, leaf, h)
    """
)
EPOCH_OF = Scalar(
    int, "SELECT epoch FROM audit_leaf WHERE patient_id = $1 ORDER BY epoch DESC, seq DESC LIMIT 1"
)
LEAF_COVERING = Statement(
    LeafRow,
    "SELECT epoch, seq, leaf, h FROM audit_leaf"
    " WHERE patient_id = $1 AND epoch = $2 AND seq >= $3 AND leaf < $4 ORDER BY seq LIMIT 1",
)
LEAF_NEWEST = Statement(
    LeafRow,
    "SELECT epoch, seq, leaf, h FROM audit_leaf"
    " WHERE patient_id = $1 AND epoch = $2 AND leaf < $3 ORDER BY seq DESC LIMIT 1",
)
STEPS_BETWEEN = Statement(
    ChainStep,
    "SELECT seq, h, sha256(convert_to(entry, 'UTF8')) AS row FROM access_log"
    " WHERE patient_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq LIMIT $4",
)

TILE_PARTS = Scalar(
    bytes,
    "SELECT hashes FROM audit_tile"
    " WHERE bucket = $1 AND epoch = $2 AND level = $3 AND tile = $4 ORDER BY start",
)
INSERT_TILE = Command(
    "INSERT INTO audit_tile (bucket, epoch, level, tile, start, hashes) VALUES ($1, $2, $3, $4, $5, $6)"
)

_ROOT = "SELECT number, epoch, size, text, signature FROM audit_root"

INSERT_ROOT = Command(
    "INSERT INTO audit_root (number, epoch, size, text, signature) VALUES ($1, $2, $3, $4, $5)"
)
NEWEST_ROOT = Statement(RootRow, f"{_ROOT} ORDER BY number DESC LIMIT 1")
NEWEST_ROOT_OF = Statement(RootRow, f"{_ROOT} WHERE epoch = $1 ORDER BY number DESC LIMIT 1")
ROOT_BY_NUMBER = Statement(RootRow, f"{_ROOT} WHERE number = $1")
ROOTS_AFTER = Statement(RootRow, f"{_ROOT} WHERE number > $1 ORDER BY number LIMIT $2")

INSERT_COSIGNATURE = Command(
    "INSERT INTO audit_cosignature (number, witness, at, signature) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (number, witness) DO NOTHING"
)
COSIGNATURES = Statement(
    CosignatureRow,
    "SELECT number, witness, at, signature FROM audit_cosignature"
    " WHERE number BETWEEN $1 AND $2 ORDER BY number, witness",
)
WITNESSED_UP_TO = Scalar(int, "SELECT number FROM audit_cosignature ORDER BY number DESC LIMIT 1")
