# SPDX-License-Identifier: Apache-2.0
"""What a proof costs does not grow with the log."""

from tests.support.codes import pdq
from tests.support.plans import executed, plan_of
from tests.support.saying import contributed, picture


def test_each_tile_is_found_by_its_place(a, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    with a.hub.begin.reading() as work:
        log = work.logs.open(a.voice.log.origin)

        with executed(a.database.reader) as made:
            found = work.logs.tiles(log, [(0, 0), (1, 0)])

    assert [one is not None for one in found] == [True, False]
    plans = plan_of(made, a.database.reader)
    if a.database.reader.dialect.name == "sqlite":
        assert plans.count("log=? AND level=? AND tile=?") == 2
    else:
        # Of a table this small it needs no more than one index, in whatever order.
        assert "Index" in plans
        assert "Seq Scan" not in plans
