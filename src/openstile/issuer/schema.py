"""The register's tables: which passes there are and how they stand. Nothing of riders, by name, contact or face.

What must hold whoever writes is a trigger: revoked is final, a pass stays as it was made until it is long over, every
change of its state is noted with its time, and a status list is never issued twice for one second.
"""

from openstile.terms.database import statements

FORMAT_VERSION = 1
"""Kept in SQLite's user_version."""
APPLICATION_ID = int.from_bytes(b"OSr1", "big")
"""Kept in SQLite's application_id: says that the file is a register of ours."""

_TABLES = """
CREATE TABLE status_list (
    id INTEGER PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE CHECK (length(uri) > 0),
    entries INTEGER NOT NULL CHECK (entries > 0),
    taken INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0),
    issued_at INTEGER
) STRICT;
CREATE TABLE held_index (
    list INTEGER NOT NULL REFERENCES status_list (id),
    list_index INTEGER NOT NULL CHECK (list_index >= 0),
    until INTEGER NOT NULL,
    PRIMARY KEY (list, list_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_until ON held_index (until);
CREATE TABLE pass (
    pass_id BLOB PRIMARY KEY CHECK (length(pass_id) = 16),
    product TEXT NOT NULL CHECK (length(product) > 0),
    issuer_kid BLOB NOT NULL CHECK (length(issuer_kid) = 8),
    group_kid BLOB NOT NULL CHECK (length(group_kid) = 8),
    token_sha256 BLOB NOT NULL CHECK (length(token_sha256) = 32),
    not_before INTEGER NOT NULL,
    expires INTEGER NOT NULL CHECK (expires > not_before),
    list INTEGER REFERENCES status_list (id),
    list_index INTEGER CHECK (list_index >= 0 AND (list IS NULL) = (list_index IS NULL)),
    state TEXT NOT NULL CHECK (state IN ('valid', 'suspended', 'revoked') AND (list IS NOT NULL OR state = 'valid')),
    changed_at INTEGER CHECK (changed_at IS NOT NULL OR state = 'valid')
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pass_by_index ON pass (list, list_index) WHERE list IS NOT NULL;
CREATE INDEX pass_withdrawn ON pass (list, list_index, state) WHERE state <> 'valid';
CREATE INDEX pass_by_end ON pass (expires);
CREATE INDEX pass_by_key ON pass (issuer_kid, group_kid, state, expires);
CREATE TABLE state_change (
    number INTEGER PRIMARY KEY,
    pass_id BLOB NOT NULL CHECK (length(pass_id) = 16),
    state TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX change_by_pass ON state_change (pass_id);
CREATE TABLE forgetting (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    ended_before INTEGER NOT NULL
) STRICT;
"""

_REGISTER_GUARDS = """
CREATE TRIGGER revoked_is_final BEFORE UPDATE ON pass
WHEN OLD.state = 'revoked'
BEGIN SELECT RAISE(ABORT, 'revoked is final'); END;
CREATE TRIGGER pass_stays_as_made BEFORE UPDATE ON pass
WHEN (NEW.pass_id, NEW.product, NEW.issuer_kid, NEW.group_kid, NEW.token_sha256, NEW.not_before, NEW.expires,
      NEW.list, NEW.list_index)
    IS NOT
    (OLD.pass_id, OLD.product, OLD.issuer_kid, OLD.group_kid, OLD.token_sha256, OLD.not_before, OLD.expires,
      OLD.list, OLD.list_index)
    OR (NEW.state IS OLD.state AND NEW.changed_at IS NOT OLD.changed_at)
BEGIN SELECT RAISE(ABORT, 'a pass stays as it was made'); END;
CREATE TRIGGER pass_stays_until_over BEFORE DELETE ON pass
WHEN OLD.expires >= coalesce((SELECT ended_before FROM forgetting), OLD.expires)
BEGIN SELECT RAISE(ABORT, 'a pass stays until it is long over'); END;
CREATE TRIGGER change_is_noted AFTER UPDATE OF state ON pass
WHEN NEW.state IS NOT OLD.state
BEGIN INSERT INTO state_change (pass_id, state, at) VALUES (NEW.pass_id, NEW.state, NEW.changed_at); END;
CREATE TRIGGER change_of_new_pass_is_noted AFTER INSERT ON pass
WHEN NEW.state <> 'valid'
BEGIN INSERT INTO state_change (pass_id, state, at) VALUES (NEW.pass_id, NEW.state, NEW.changed_at); END;
CREATE TRIGGER change_goes_with_its_pass AFTER DELETE ON pass
BEGIN DELETE FROM state_change WHERE pass_id = OLD.pass_id; END;
CREATE TRIGGER change_stays_as_noted BEFORE UPDATE ON state_change
BEGIN SELECT RAISE(ABORT, 'a noted change stays'); END;
CREATE TRIGGER change_stays_with_its_pass BEFORE DELETE ON state_change
WHEN EXISTS (SELECT 1 FROM pass WHERE pass_id = OLD.pass_id)
BEGIN SELECT RAISE(ABORT, 'a noted change stays'); END;
CREATE TRIGGER forgetting_goes_on BEFORE UPDATE ON forgetting
WHEN NEW.ended_before < OLD.ended_before
BEGIN SELECT RAISE(ABORT, 'what is forgotten stays forgotten'); END;
"""

_LIST_GUARDS = """
CREATE TRIGGER list_only_grows BEFORE UPDATE ON status_list
WHEN NEW.id IS NOT OLD.id OR NEW.uri IS NOT OLD.uri OR NEW.entries < OLD.entries
    OR NOT coalesce(NEW.issued_at >= OLD.issued_at, OLD.issued_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'a list only grows'); END;
CREATE TRIGGER list_issued_once_a_second BEFORE UPDATE OF issued_at ON status_list
WHEN NEW.issued_at = OLD.issued_at
BEGIN SELECT RAISE(ABORT, 'a list is issued later each time'); END;
CREATE TRIGGER list_stays BEFORE DELETE ON status_list
BEGIN SELECT RAISE(ABORT, 'a list stays'); END;
CREATE TRIGGER held_index_is_unused BEFORE INSERT ON held_index
WHEN EXISTS (SELECT 1 FROM pass WHERE list = NEW.list AND list_index = NEW.list_index)
    OR NEW.list_index >= (SELECT entries FROM status_list WHERE id = NEW.list)
BEGIN SELECT RAISE(ABORT, 'an index is held once and lies in its list'); END;
CREATE TRIGGER pass_index_is_free BEFORE INSERT ON pass
WHEN NEW.list IS NOT NULL AND (
    EXISTS (SELECT 1 FROM held_index WHERE list = NEW.list AND list_index = NEW.list_index)
    OR NEW.list_index >= (SELECT entries FROM status_list WHERE id = NEW.list))
BEGIN SELECT RAISE(ABORT, 'an index is used once and lies in its list'); END;
CREATE TRIGGER held_counts AFTER INSERT ON held_index
BEGIN UPDATE status_list SET taken = taken + 1 WHERE id = NEW.list; END;
CREATE TRIGGER freed_counts AFTER DELETE ON held_index
BEGIN UPDATE status_list SET taken = taken - 1 WHERE id = OLD.list; END;
CREATE TRIGGER added_counts AFTER INSERT ON pass WHEN NEW.list IS NOT NULL
BEGIN UPDATE status_list SET taken = taken + 1 WHERE id = NEW.list; END;
CREATE TRIGGER forgotten_counts AFTER DELETE ON pass WHEN OLD.list IS NOT NULL
BEGIN UPDATE status_list SET taken = taken - 1 WHERE id = OLD.list; END;
"""


SCHEMA = tuple(statements(_TABLES + _REGISTER_GUARDS + _LIST_GUARDS))
"""One statement each, in the order in which they are run."""
