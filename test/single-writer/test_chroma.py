"""The check and the rebuild of Chroma's files, on a store that a real Chroma 1.5.9 made (lab/apps/chroma_fixture.py)."""

import array
import os
import pickle
import random
import shutil
import sqlite3
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "lib" / "single-writer"), str(ROOT / "lab" / "apps")]

import chroma  # noqa: E402
import chroma_index  # noqa: E402
from chroma_client import embed  # noqa: E402
from chroma_fixture import DIMENSION, expected  # noqa: E402


@pytest.fixture
def store(tmp_path):
    """As Chroma leaves it by default: the rows of what the index holds are purged."""
    directory = tmp_path / "chroma"
    with tarfile.open(Path(__file__).parent / "fixtures" / "chroma-1.5.9.tar.gz") as tar:
        tar.extractall(directory, filter="data")
    return directory


@pytest.fixture
def protected(store):
    assert chroma.protect_chroma(str(store)) == 120
    return store


def indexes(store):
    return sorted(path for path in store.iterdir() if path.is_dir())


def replayed(store):
    """What Chroma gets when it reads each collection's queue from the first row: id to vector."""
    result = []
    with chroma.database(str(store)) as db:
        for segment in chroma.segments(db):
            have = {}
            rows = db.execute(
                "SELECT id, operation, vector FROM embeddings_queue WHERE topic LIKE '%/' || ? ORDER BY seq_id",
                (segment.collection,),
            )
            for key, operation, vector in rows:
                if operation == chroma.DELETE:
                    have.pop(key, None)
                elif vector is not None and (operation == chroma.UPSERT or (operation == chroma.ADD) == (key not in have)):
                    have[key] = array.array("f", vector).tolist()
            result.append(have)
    return result


def texts(problems):
    return [str(problem) for problem in problems]


def test_a_whole_purged_store_has_no_problem_but_its_vectors_are_only_in_the_index(store):
    assert chroma.check_chroma(str(store)) == []
    assert chroma.check_chroma(str(store), unclean=True) == []
    with chroma.database(str(store)) as db:
        assert [len(chroma.unqueued(db, segment)) for segment in chroma.segments(db)] == [60, 60]


def test_protect_copies_every_vector_back_so_that_the_queue_alone_gives_the_collection(protected):
    for have in replayed(protected):
        assert have.keys() == expected().keys()
        for key, text in expected().items():
            assert have[key] == pytest.approx(embed(text, DIMENSION), abs=1e-5)
    assert chroma.check_chroma(str(protected)) == []


def test_protect_again_copies_nothing(protected):
    before = (protected / chroma.DATABASE).read_bytes()
    assert chroma.protect_chroma(str(protected)) == 0
    assert (protected / chroma.DATABASE).read_bytes() == before


def test_after_an_unclean_end_every_rebuildable_index_is_reported_however_good_it_looks(protected):
    problems = chroma.check_chroma(str(protected), unclean=True)
    assert [problem.segment for problem in problems] == [path.name for path in indexes(protected)]
    assert all(problem.rebuildable for problem in problems)


def test_a_store_whose_indexes_are_forgotten_and_removed_is_whole(protected):
    names = [path.name for path in indexes(protected)]
    chroma.forget_indexes(str(protected), names)
    for name in names:
        shutil.rmtree(protected / name)
    assert chroma.check_chroma(str(protected)) == []
    assert chroma.check_chroma(str(protected), unclean=True) == []


def test_an_index_that_is_gone_but_not_forgotten_is_reported(protected):
    for path in indexes(protected):
        shutil.rmtree(path)
    problems = chroma.check_chroma(str(protected), unclean=True)
    assert len(problems) == 2 and all(problem.rebuildable for problem in problems)
    chroma.forget_indexes(str(protected), [problem.segment for problem in problems])
    assert chroma.check_chroma(str(protected)) == []


def cuts(path):
    """Every length at which a file means something else: all for small files, a sample for others."""
    size = path.stat().st_size
    return sorted(set(range(0, min(size, 40))) | set(range(0, size, max(1, size // 25))))


@pytest.mark.parametrize("name", chroma_index.INDEX_FILES)
def test_every_truncation_is_found(store, protected, name):
    path = indexes(protected)[0] / name
    whole = path.read_bytes()
    with chroma.database(str(protected)) as db:
        index = chroma.Index(str(path.parent), chroma.segments(db)[0].dimension)
    used = {"data_level0.bin": index.count * index.element_size, "length.bin": index.count * 4}.get(name, len(whole))
    for length in cuts(path):
        path.write_bytes(whole[:length])
        problems = chroma.check_chroma(str(protected))
        assert bool(problems) == (length < used), f"{name} cut at {length}: {texts(problems)}"
        assert all(problem.rebuildable for problem in problems)


@pytest.mark.parametrize("name", chroma_index.INDEX_FILES)
def test_a_missing_file_is_found(protected, name):
    (indexes(protected)[0] / name).unlink()
    (problem,) = chroma.check_chroma(str(protected))
    assert problem.rebuildable


def test_a_page_of_zeros_is_found_wherever_it_lies(protected):
    path = indexes(protected)[0] / "data_level0.bin"
    whole = path.read_bytes()
    with chroma.database(str(protected)) as db:
        used = chroma.Index(str(path.parent), chroma.segments(db)[0].dimension)
    for start in range(0, used.count * used.element_size, 512):
        page = bytearray(whole)
        page[start : start + 512] = bytes(512)
        path.write_bytes(page)
        assert chroma.check_chroma(str(protected)), f"zeros at {start} went unseen"


def test_a_changed_vector_is_found_once_the_queue_holds_the_original(protected):
    chance = random.Random(1)
    with chroma.database(str(protected)) as db:
        segments = chroma.segments(db)
    for path, segment in zip(indexes(protected), segments):
        index = chroma.Index(str(path), segment.dimension)
        data = path / "data_level0.bin"
        whole = data.read_bytes()
        for place in index.vectors_at.values():
            changed = bytearray(whole)
            changed[place + 4 * chance.randrange(DIMENSION) + 3] ^= 0x40  # a large change of one number
            data.write_bytes(changed)
            (problem,) = chroma.check_chroma(str(protected))
            assert problem.segment == path.name and problem.rebuildable
        data.write_bytes(whole)
    assert chroma.check_chroma(str(protected)) == []


def test_an_index_of_an_older_save_is_found(protected):
    path = indexes(protected)[0]
    with sqlite3.connect(protected / chroma.DATABASE) as db:
        db.execute("UPDATE max_seq_id SET seq_id = seq_id + 1000 WHERE segment_id = ?", (path.name,))
        db.execute("UPDATE embeddings SET embedding_id = 'other' WHERE id = (SELECT min(id) FROM embeddings)")
    assert any(problem.segment == path.name for problem in chroma.check_chroma(str(protected)))


def test_a_list_of_links_of_a_terabyte_is_refused_without_reading_it(protected):
    os.truncate(indexes(protected)[0] / "link_lists.bin", 1 << 40)
    (problem,) = chroma.check_chroma(str(protected))
    assert "1099511627776 bytes" in problem.text and problem.rebuildable


def test_a_torn_index_of_a_purged_store_cannot_be_rebuilt_and_is_left_alone(store):
    path = indexes(store)[0] / "index_metadata.pickle"
    path.write_bytes(path.read_bytes()[:100])
    for unclean in (False, True):
        (problem,) = chroma.check_chroma(str(store), unclean=unclean)
        assert not problem.rebuildable and problem.segment == path.parent.name
    before = (store / chroma.DATABASE).stat().st_size
    with pytest.raises(chroma.Torn):
        chroma.protect_chroma(str(store))
    assert len(indexes(store)) == 2 and (store / chroma.DATABASE).stat().st_size == before


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_a_pickle_that_names_code_is_not_executed(protected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (indexes(protected)[0] / "index_metadata.pickle").write_bytes(pickle.dumps({"id_to_label": Harm()}))
    (problem,) = chroma.check_chroma(str(protected))
    assert "mkdir" in problem.text and not (tmp_path / "harm").exists()


@pytest.mark.parametrize("damage", [b"", b"not a database at all", None])
def test_a_damaged_database_is_never_rebuildable(protected, damage):
    path = protected / chroma.DATABASE
    if damage is None:
        raw = bytearray(path.read_bytes())
        raw[5000:60000] = os.urandom(55000)
        damage = bytes(raw)
    path.write_bytes(damage)
    if damage:
        (problem,) = chroma.check_chroma(str(protected))
        assert problem.segment == "" and not problem.rebuildable


def test_the_switch_waits_for_chroma_to_make_its_tables(tmp_path):
    sqlite3.connect(tmp_path / chroma.DATABASE).execute("CREATE TABLE t (x)").connection.close()
    assert chroma.keep_every_vector(str(tmp_path)) is False


def test_a_store_whose_tables_are_being_made_has_not_started(tmp_path):
    with sqlite3.connect(tmp_path / chroma.DATABASE) as db:
        db.execute("CREATE TABLE embeddings_queue_config (id INTEGER PRIMARY KEY, config_json_str TEXT)")
    assert chroma.has_started(str(tmp_path)) is False
    with db:
        db.execute("CREATE TABLE collections (id TEXT)")
        db.execute("INSERT INTO collections VALUES ('c')")
    assert chroma.has_started(str(tmp_path)) is True


def test_a_store_with_chromas_own_settings_has_started(store):
    assert chroma.has_started(str(store)) is True


def test_the_switch_calls_a_queue_complete_only_if_nothing_can_have_been_purged(store):
    assert chroma.keep_every_vector(str(store))
    with chroma.database(str(store)) as db:
        assert chroma.switch(db) == (True, False)
        db.execute("DELETE FROM max_seq_id")
        db.execute("DELETE FROM embeddings_queue_config")
    assert chroma.keep_every_vector(str(store))
    with chroma.database(str(store)) as db:
        assert chroma.switch(db) == (True, True)


def test_a_purge_by_hand_is_noticed(protected):
    with chroma.database(str(protected)) as db:
        chroma.set_switch(db, '{"automatically_purge":true,"_type":"EmbeddingsQueueConfigurationInternal"}')
        db.execute("DELETE FROM embeddings_queue WHERE seq_id < 83")
    assert chroma.protect_chroma(str(protected)) == 60
    assert all(have.keys() == expected().keys() for have in replayed(protected))
